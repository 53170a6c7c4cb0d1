"""Sweeps: many settings tried, one chosen on dev, that one reported on test.

A file says what (`spec`). Each cell is one row with one seed: its outcome on dev is kept by content (`cells`), and
measured wherever an executor has its workers (`work`, `tries`). What was found is put together in `found`.
"""
