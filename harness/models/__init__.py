"""Models: text → vectors or scores. The one place that resolves a model's name, weights, prompts, pooling, length,
precision.

`resolve.py` finds a model's folder and hashes it; `prompts.py` knows the families that need prompts; `encoder.py` turns
texts into cached vectors, `sparse.py` and `late.py`, on `ragged.py`, into cached matrices; `cross_encoder.py` scores
pairs. None of them imports torch before a text has to go through a model.
"""
