"""What papers claim, tested on the records of a results folder: one entry of `claims.toml` for each claim."""
