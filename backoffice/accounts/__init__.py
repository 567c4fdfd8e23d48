"""Users, roles, logins and the second factor."""
