"""Who works here: roles, the way in, the second factor."""
