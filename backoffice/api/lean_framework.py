"""Django REST framework without what it loads if it finds it: fields of PostgreSQL, and a client.

Import it before the framework. On SQLite psycopg is loaded for nothing else.
"""

from shared.core.hidden_modules import hide_modules

with hide_modules("psycopg", "requests"):
    from rest_framework import compat  # noqa: F401
