"""The version of the program, which stands in `pyproject.toml` alone."""

from importlib import metadata
from typing import Final

DISTRIBUTION: Final = "raffle-tickets-bot"


def get_program_version() -> str:
    """Return the version of the installed program."""
    return metadata.version(DISTRIBUTION)
