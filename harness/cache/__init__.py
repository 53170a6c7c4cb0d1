"""The cache: built things kept by content, safe for two processes at once, checked when read.

`folders.py` keeps built folders (a corpus in Arrow form, a BM25 index), `vectors.py` keeps one vector per text,
`ragged.py` one matrix, `remote.py` shares them between machines. `kinds.py` lists what there may be, `marker.py` marks
the folder as ours, `manage.py` lists and verifies what is there and `clearing.py` removes it. A key is a hash of
everything that decides the content,
so a stale entry cannot be hit: it is merely never asked for again, and `harness cache gc` removes it.
"""
