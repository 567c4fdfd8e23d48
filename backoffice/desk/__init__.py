"""The seller's day: pages that are more than a list of rows, and the decisions made on them."""
