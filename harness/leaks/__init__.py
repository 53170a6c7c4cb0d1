"""Which texts of two sets are alike, and which queries a model was trained on."""
