"""Numbers of a text: which stand together, how they are written, and what is wanted of them."""
