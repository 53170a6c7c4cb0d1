"""The command line: arguments → one call of `harness.api` → output."""
