"""How a choice is written, checked, looked up and read back: values, rooms of values, expressions."""
