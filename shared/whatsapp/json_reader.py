"""Reads JSON that others wrote: values of the wrong kind are absent, none makes it fail."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson

MAX_DEPTH: Final = 60
"""Meta's payloads nest ten deep at most; SQLite stores none deeper than 1,000."""

_MILLISECONDS_FROM: Final = 10**12
"""As seconds this is the year 33658: whatever is larger was written in milliseconds."""
_LAST_SECOND: Final = 4_102_444_800
"""The year 2100; a later timestamp is a mistake."""
_SQL_INTEGER: Final = 2**31 - 1
_HALF_PAIR: Final = re.compile(r"[\ud800-\udfff]")


class Unreadable(ValueError):
    """The bytes or the value cannot be read or stored; the message says why."""


def loads(body: bytes) -> Any:
    """Read a JSON document; also one with NaN, or with half of a surrogate pair cut in two.

    Raises:
        Unreadable: it is not JSON, or nests too deeply for the parser.

    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _loads_slowly(body)


def _loads_slowly(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=str)
    except RecursionError:
        raise Unreadable("nested too deeply") from None
    except ValueError as error:  # malformed, not UTF-8, or a number of thousands of digits
        raise Unreadable(f"not JSON: {error}") from None


def harmless(value: Any, *, depth: int = 0) -> Any:
    """Copy a value without what a database refuses.

    NUL characters go, halves of surrogate pairs become U+FFFD, and numbers that JSON cannot write
    become their words.

    Raises:
        Unreadable: it nests deeper than `MAX_DEPTH`.

    """
    match value:
        case str():
            return _storable(value)
        case dict() | list() if depth >= MAX_DEPTH:
            raise Unreadable("nested too deeply")
        case dict():
            return {
                _storable(str(key)): harmless(inner, depth=depth + 1)
                for key, inner in value.items()
            }
        case list():
            return [harmless(inner, depth=depth + 1) for inner in value]
        case float() if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124
            return str(value)
        case _:
            return value


def _storable(text: str) -> str:
    if text.isascii():
        return text.replace("\0", "") if "\0" in text else text
    return _HALF_PAIR.sub("\ufffd", text).replace("\0", "")


def canonical(value: Any) -> bytes:
    """Write a value as JSON in the one way that equal values share."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def items(value: Any) -> list[Any]:
    """Give the elements of an array; also of one written as `{"0": …}`, or a lone object."""
    match value:
        case list():
            return value
        case dict() if all(key.isdecimal() for key in value):
            return [value[key] for key in sorted(value, key=lambda key: (len(key), key))]
        case None:
            return []
        case _:
            return [value]


def mapping(value: Any, *path: str) -> Mapping[str, Any]:
    """Follow `path` into a value and give the object there, or an empty one."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def string(value: Any, *path: str) -> str:
    """Follow `path` into a value and give the text or number there as storable text, or nothing."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, str):
        return _storable(value).strip()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def integer(value: Any) -> int | None:
    """Give a number that fits an integer column, also when it is written as text."""
    text = string(value)
    if not re.fullmatch(r"-?[0-9]{1,10}", text) or abs(int(text)) > _SQL_INTEGER:
        return None
    return int(text)


def moment(value: Any) -> datetime | None:
    """Read a timestamp of Meta: seconds since 1970 as text or number, sometimes milliseconds."""
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else string(value)
    if not re.fullmatch(r"[0-9]{1,16}", text):
        return None
    seconds = int(text)
    if seconds >= _MILLISECONDS_FROM:
        seconds //= 1000
    if not 0 < seconds < _LAST_SECOND:
        return None
    return datetime.fromtimestamp(seconds, tz=UTC)
