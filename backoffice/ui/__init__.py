"""Parts shared by all pages of the back office."""
