"""A phone in the terminal that talks to the stand-in."""
