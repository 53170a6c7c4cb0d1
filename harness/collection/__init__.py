"""One judged collection: its files, its splits, and the rules that turn them into a `Dataset`.

`files` finds the files of a folder; `jsonl`, `topics` and `qrels` read them; `in_memory` takes what a library or your
own code has read. `splits` makes the `Dataset`, with the rule on queries that are documents (`self_retrieval`) and the
checks that anything can be measured (`sound`).
"""
