"""Django's command line, as `uv run manage …`."""

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management import execute_from_command_line
from django.db import OperationalError, ProgrammingError

from shared.core.config_errors import ConfigurationError
from shared.core.fast_exit import skip_garbage_at_exit

HELP_WORDS: Final = frozenset({"help", "--help", "-h", "version", "--version"})

FIRST_STEPS: Final = """
There is no .env in this folder yet. To make one:
  cp .env.example .env
  uv run rafflebot secrets >> .env
  uv run manage migrate
What is still missing then says `uv run rafflebot doctor`. To look around first, without any
configuration, there is `uv run rafflebot demo`."""


def main() -> None:
    """Run a Django command with the back office's settings.

    What a person can put right is one sentence and exit code 1, without a traceback; Django's
    option `--traceback` brings it back.
    """
    skip_garbage_at_exit()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    try:
        if _asks_for_help(sys.argv):
            # the list of commands needs no configuration, but Django needs a key to start
            os.environ.setdefault("DJANGO_SECRET_KEY", secrets.token_urlsafe(50))
        else:
            make_database_folder(settings.DATABASES["default"])
        execute_from_command_line(sys.argv)
    except ConfigurationError as error:
        sys.exit(str(error) + ("" if Path(".env").exists() else f"\n{FIRST_STEPS}"))
    except (OperationalError, ProgrammingError) as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(describe_database_error(error))


def make_database_folder(database: Mapping[str, Any]) -> None:
    """Make the folder of a SQLite file, which a fresh clone does not have.

    Args:
        database: Django's settings of the database.

    Raises:
        SystemExit: it cannot be made; the message says why.

    """
    if not database["ENGINE"].endswith("sqlite3") or ":memory:" in str(database["NAME"]):
        return
    folder = Path(database["NAME"]).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(
            f"The folder of the database, {folder}, cannot be made: {error.strerror}. "
            "Choose another one in DATABASE_URL."
        )


def describe_database_error(error: Exception) -> str:
    """Return what the database answered, and what to do about it."""
    said = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    if "no such table" in said or "does not exist" in said:
        return f"The database lacks a table: {said}. Run `uv run manage migrate` first."
    return (
        f"The database does not answer: {said}. Start it, or correct DATABASE_URL in .env; "
        "`--traceback` shows more."
    )


def _asks_for_help(arguments: Sequence[str]) -> bool:
    return len(arguments) < 2 or not HELP_WORDS.isdisjoint(arguments[1:])  # noqa: PLR2004


if __name__ == "__main__":
    main()
