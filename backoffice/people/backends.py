"""The authentication backend under the import path that sessions store.

Django stores the backend's dotted path in every session and accepts no other path. If
`AUTHENTICATION_BACKENDS` named another path, every user would be logged out.
"""

from backoffice.accounts.backends import People

__all__ = ["People"]
