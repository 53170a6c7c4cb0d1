"""Other tools' forms: collections for BEIR, a method as MTEB's model, records as MTEB's results, figures of others,
models.

What is written for BEIR and TREC is read by `harness.datasets`. `mteb_model` stands where MTEB expects a model;
`mteb_results` turns records into MTEB's result files, and such files into figures for the board.
"""
