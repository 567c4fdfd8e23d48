"""Parts that every page of the back office is made of."""
