"""Reports: records → tables. `board.py` arranges the records, `markdown.py`, `csv.py` and `terminal.py` write them."""
