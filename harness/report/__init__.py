"""Reports: records → tables, pages, plots.

`board.py` arranges the records, `comparisons.py` and `comparisons_across.py` compare the rows. `columns.py` and
`across_columns.py` declare the columns, and `notes.py` the notes, of all boards; `markdown.py`, `csv.py`, `latex.py`,
`terminal.py` and `plots.py` write them, `board_files.py` the files of a results folder. `page.py` writes the HTML page
from `page_data.py` (tables), `page_across.py`, `page_records.py`, `per_query.py` (queries), `top_lists.py` (runs) and
`collection.py` (texts, titles, grades). Templates, style and scripts are in `assets/`.
"""
