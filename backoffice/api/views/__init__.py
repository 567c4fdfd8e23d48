"""The endpoints: each checks its input, calls one use case and describes what came of it."""
