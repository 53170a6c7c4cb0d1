"""Formats of other tools: datasets for BEIR and TREC, methods as MTEB models, MTEB result files, published scores.

`harness.datasets` reads what is written for BEIR and TREC. `mteb_model` is a model for MTEB; `mteb_results` writes
records as MTEB's result files, `mteb_published` reads such files as published scores, `mteb_names` translates names.
"""
