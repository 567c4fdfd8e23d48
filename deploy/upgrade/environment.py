"""The settings of an installation, compared with those that this version reads."""

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from deploy.upgrade import releases
from shared.core.config import Settings
from shared.core.secret_files import SECRET_FIELDS, name_file_variable


@dataclass(frozen=True, slots=True)
class SettingChange:
    """A setting to think about.

    Attributes:
        name: the variable.
        kind: `new`, `unread` or `outdated`.
        words: a sentence for the operator.

    """

    name: str
    kind: str
    words: str


def list_setting_changes(
    *, since: str | None, file: Path = Path(".env"), environment: Mapping[str, str] = os.environ
) -> list[SettingChange]:
    """Return new settings that have no value yet, and those in the file that nothing reads.

    Args:
        since: the version that migrated the database; None for 0.2.0 or earlier.
        file: the environment file.
        environment: the environment, whose other variables belong to other programs.

    """
    given = (
        {name: value or "" for name, value in dotenv_values(file).items()} if file.is_file() else {}
    )
    known = [name.upper() for name in Settings.model_fields]
    known_files = [name_file_variable(name) for name in SECRET_FIELDS]
    return [
        *_list_new(since=since, given={**given, **environment}),
        *_list_unread(given, known=[*known, *known_files]),
        *_list_outdated({**given, **environment}),
    ]


def _list_new(*, since: str | None, given: Mapping[str, str]) -> list[SettingChange]:
    return [
        SettingChange(name, "new", f"{_describe(name)}.")
        for name in releases.list_new_settings(since=since)
        if not given.get(name) and not given.get(name_file_variable(name))
    ]


def _describe(name: str) -> str:
    field = Settings.model_fields[name.lower()]
    default = field.get_default()
    plain = "" if default is None or not str(default) else f"; without it {str(default).lower()}"
    return f"{field.description}{plain}"


def _list_unread(given: Mapping[str, str], *, known: Sequence[str]) -> list[SettingChange]:
    return [
        SettingChange(name, "unread", _explain_unread(name, known=known))
        for name in sorted(given)
        if name.upper() not in known
    ]


def _explain_unread(name: str, *, known: Sequence[str]) -> str:
    similar = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    words = "Nothing in this version reads it"
    return f"{words}; was {similar[0]} meant?" if similar else f"{words}: take it out of .env."


def _list_outdated(given: Mapping[str, str]) -> list[SettingChange]:
    name, newest = "META_GRAPH_VERSION", str(Settings.model_fields["meta_graph_version"].default)
    chosen = given.get(name) or newest
    if _read_graph_version(chosen) >= _read_graph_version(newest):
        return []
    words = f"{chosen} is older than {newest}, for which this version was made: take it out."
    return [SettingChange(name, "outdated", words)]


def _read_graph_version(text: str) -> tuple[int, ...]:
    parts = text.removeprefix("v").split(".")
    return tuple(int(part) for part in parts if part.isdecimal())
