"""What a score depends on: conventions of evaluation, unjudged documents, truncation, determinism of encoders."""
