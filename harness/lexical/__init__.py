"""Lexical search: an inverted index of BM25 weights that ranks as Lucene ranks.

`lengths.py` rounds document lengths as Lucene stores them; `bm25.py` builds the index on bm25s and searches it.
"""
