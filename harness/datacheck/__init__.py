"""What is wrong with a collection."""
