"""The settings of a run, and the ledger of what was done once and timed."""
