"""The version of the program, which stands in `pyproject.toml` alone."""

from importlib import metadata
from typing import Final

DISTRIBUTION: Final = "raffle-tickets-bot"


def get_program_version() -> str:
    """Return the version of the installed program."""
    return metadata.version(DISTRIBUTION)


def parse_version(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, by which versions compare."""
    return tuple(int(part) for part in version.split("."))
