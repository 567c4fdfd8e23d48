"""The authentication backend under the path that sessions hold.

Django stores the backend's dotted path in every session and accepts no other path; with another
one in `AUTHENTICATION_BACKENDS` everybody would be logged out.
"""

from backoffice.accounts.backends import People

__all__ = ["People"]
