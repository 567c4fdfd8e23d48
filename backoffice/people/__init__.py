"""Import path of the authentication backend before it moved to `backoffice.accounts`."""
