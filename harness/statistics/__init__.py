"""Whether a difference is real: numbers in, numbers out; nothing here knows of rows, records or files."""
