"""All ticket numbers of a raffle: generation, map, ranges and consistency checks."""
