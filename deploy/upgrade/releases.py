"""Changes between releases for operators: settings, notes, and which releases may run together."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from shared.core.version import parse_version

UNRELEASED: Final = "Unreleased"
"""The next release, by its heading in the changelog."""

FORMER_VERSION: Final = "0.2.0"
"""The release whose processes may run beside this one while an installation is updated."""

FIRST_RECORDED_AFTER: Final = "0.2.0"
"""Databases did not record their version up to this release."""

NEW_SETTINGS: Final[Mapping[str, tuple[str, ...]]] = {
    UNRELEASED: (
        "DATABASE_PASSWORD",
        "DEFAULT_FROM_EMAIL",
        "DJANGO_SECRET_KEY_FALLBACKS",
        "DRAIN_SECONDS",
        "DRAW_RECORD_YEARS",
        "EMAIL_HOST",
        "EMAIL_HOST_PASSWORD",
        "EMAIL_HOST_USER",
        "EMAIL_PORT",
        "EMAIL_USE_SSL",
        "EMAIL_USE_TLS",
        "LEGAL_DETAILS_REQUIRED",
        "MAX_ORDERS_UNDER_REVIEW",
        "PERSON_PAUSE_HOURS",
        "RETENTION_DAYS",
        "STAFF_MAIL_PROOF_MINUTES",
        "STAFF_MAIL_REPEAT_HOURS",
        "WEBHOOK_SILENCE_HOURS",
    ),
}
"""Settings by the release that began to read them; those of 0.2.0 and before are not listed."""

_HEADING: Final = re.compile(r"^## (\S+)", re.MULTILINE)
_UPGRADING: Final = re.compile(r"^### Upgrading\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)


def is_later(version: str, *, than: str | None) -> bool:
    """Return whether a release came after another one.

    Args:
        version: a version or `Unreleased`.
        than: the version to compare with; None for 0.2.0 or earlier.

    """
    return _sort_key(version) > _sort_key(than or FIRST_RECORDED_AFTER)


def list_new_settings(*, since: str | None) -> list[str]:
    """Return the settings that releases after `since` began to read."""
    return [
        name
        for version, names in NEW_SETTINGS.items()
        if is_later(version, than=since)
        for name in names
    ]


def read_notes(changelog: Path, *, since: str | None) -> dict[str, str]:
    """Return what the changelog says about upgrading to each release after `since`.

    Args:
        changelog: the file; without it there are no notes.
        since: the version of the database; None for 0.2.0 or earlier.

    """
    if not changelog.is_file():
        return {}
    _, *parts = _HEADING.split(changelog.read_text())
    sections = zip(parts[::2], parts[1::2], strict=True)
    return {
        version: found[1].strip()
        for version, text in sections
        if is_later(version, than=since) and (found := _UPGRADING.search(text))
    }


def _sort_key(version: str) -> tuple[float, ...]:
    if version == UNRELEASED:
        return (float("inf"),)
    return parse_version(version)
