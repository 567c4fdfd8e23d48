"""Django REST framework without what it loads if it finds it and nothing here uses.

That is fields of PostgreSQL, a client and colours for code.

Import it before the framework. On SQLite psycopg is loaded for nothing else. Its former version is
hidden, too: Django would take that one for PostgreSQL if it met it first.
"""

from shared.core.hidden_modules import hide_modules

with hide_modules("psycopg", "psycopg2", "pygments", "requests"):
    from rest_framework import compat  # noqa: F401
