"""One reader of what buyers write: normalised words, their entities, and what is meant."""
