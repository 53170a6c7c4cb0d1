"""Reports: records → tables, pages, plots.

`board.py` arranges the records, `standings.py` adds intervals and groups; `markdown.py`, `csv.py`, `latex.py`,
`terminal.py` and `plots.py` write them. `page.py` writes the HTML page from `page_data.py` (tables), `per_query.py`
(queries), `top_lists.py` (runs) and `collection.py` (texts, titles, grades); its template, style and scripts are in
`assets/`.
"""
