"""The schema of a database in comparable words, without the order in which columns were added."""

import re
from collections.abc import Iterator
from typing import Final

from django.db import connection

type Schema = dict[str, list[str]]
"""By table or other object what it consists of, sorted."""

_POSTGRES_QUERIES: Final = (
    """
    SELECT relname, concat_ws(' ', 'column', attname, format_type(atttypid, atttypmod),
        attcollation::regcollation, CASE WHEN attnotnull THEN 'NOT NULL' END,
        pg_get_expr(adbin, adrelid), attidentity, pg_get_serial_sequence(relname, attname))
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0
        AND NOT attisdropped
    """,
    """
    SELECT conrelid::regclass::text, concat_ws(' ', conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
    """,
    "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    """
    SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    """,
    """
    SELECT proname, pg_get_functiondef(oid) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
    """,
    """
    SELECT sequencename,
        concat_ws(' ', data_type, min_value, max_value, increment_by, start_value, cycle)
    FROM pg_sequences WHERE schemaname = 'public'
    """,
)
"""Queries for the name of an object and a definition of it or of a part of it."""


def read_schema() -> Schema:
    """Return columns, constraints, indexes, triggers, functions and sequences."""
    parts = _read_sqlite() if connection.vendor == "sqlite" else _read_postgres()
    schema: Schema = {}
    for name, definition in sorted(parts):
        schema.setdefault(name, []).append(definition)
    return schema


def _read_postgres() -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        for query in _POSTGRES_QUERIES:
            cursor.execute(query)
            yield from ((name, _simplify_casts(part)) for name, part in cursor.fetchall())


def _simplify_casts(definition: str) -> str:
    """Write a list of texts as before a dump was restored: the server then casts each of them."""
    each_cast = re.sub(r"\(('[^']*'::character varying)\)::text", r"\1", definition)
    return re.sub(r"\((ARRAY\[[^]]*\])\)::text\[\]", r"\1", each_cast)


def _read_sqlite() -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT type, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        for kind, table, statement in cursor.fetchall():
            if kind == "table":
                yield from ((table, part) for part in _split_columns(statement))
            else:
                yield table, statement


def _split_columns(statement: str) -> Iterator[str]:
    """Yield the definitions of columns and constraints from a CREATE TABLE statement."""
    inside, part, depth = statement[statement.index("(") + 1 : statement.rindex(")")], "", 0
    for token in re.findall(r"'(?:[^']|'')*'|\"[^\"]*\"|[(),]|[^'\"(),]+", inside):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == "," and depth == 0:
            yield part.strip()
            part = ""
        else:
            part += token
    yield part.strip()
