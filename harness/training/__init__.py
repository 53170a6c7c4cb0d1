"""Training: what every recipe shares, on sentence-transformers' trainers.

`gold.py` reads training pairs out of a `TrainView`; `negatives.py` mines hard negatives with any method of the
registry; `labels.py` asks a teacher, after testing it; `dev.py` and `probes.py` measure a model on the dev queries
while it learns; `head.py` makes a sparse encoder of a dense one; `schedule.py` says how long and how fast; `lesson.py`
is what a recipe hands to the one loop in `loop.py`, which can be killed and goes on; `card.py` writes the model card.
Nothing here sees a test query: a `TrainView` holds none.
"""
