"""The installation of version 0.1.0 that `tests/fixtures/make_installation.py` made."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from django.core.management import call_command

from tests.databases import DatabaseFactory

FOLDER: Final = Path(__file__).parent / "fixtures" / "installation_0_1_0"
"""Its files and its database, for each kind of database."""


@contextmanager
def restore_database(vendor: str, run_folder: Path) -> Iterator[str]:
    """Restore its database, yield the URL, and drop the database afterwards."""
    with DatabaseFactory(vendor, run_folder).restored(_read_dump(vendor)) as address:
        yield address


@contextmanager
def copy_upgraded_database(vendor: str, run_folder: Path) -> Iterator[str]:
    """Copy its database after `migrate`, yield the copy's URL, and drop the copy afterwards."""
    migrate = partial(call_command, "migrate", verbosity=0)
    factory = DatabaseFactory(vendor, run_folder)
    with factory.prepared("upgraded", migrate, dump=_read_dump(vendor)) as address:
        yield address


def _read_dump(vendor: str) -> str:
    return (FOLDER / vendor / "dump.sql").read_text()
