"""The cache: results stored by content, safe for two processes at once, checked when read.

`folders` stores built folders (a corpus in Arrow form, a BM25 index); `shard_store` stores one value per text, a vector
(`vectors`) or a matrix (`ragged`), in `shards`; `remote` shares both between machines. `kinds` lists the kinds of
entries, `marker` marks the folder as a cache, `manage` lists and verifies entries and `clearing` removes them. A key is
a hash of everything that decides the content (`code` hashes the code), so a stale entry is never read: it is not
requested again, and `harness cache gc` removes it.
"""
