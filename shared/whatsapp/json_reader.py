"""Tolerant access to JSON from outside, in which a value of the wrong type counts as absent."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final

import orjson

from shared.whatsapp.errors import UnreadableJson

MAX_DEPTH: Final = 60
"""Levels of nesting; Meta's payloads have ten at most, and SQLite stores up to 1,000."""

_MIN_MILLISECONDS: Final = 10**12
"""As seconds this is the year 33658, so a larger timestamp is in milliseconds."""
_MAX_TIMESTAMP: Final = 4_102_444_800
"""The year 2100; a later timestamp is an error."""
_MAX_SQL_INTEGER: Final = 2**31 - 1
_LONE_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")


def parse_json(body: bytes) -> Any:
    """Return the value of a JSON document, which may contain NaN and lone surrogates.

    Raises:
        UnreadableJson: it is not JSON, or nests too deeply for the parser.

    """
    return parse_json_for_storage(body)[0]


def parse_json_for_storage(body: bytes) -> tuple[Any, bool]:
    """Parse a JSON document.

    Returns:
        Its value, and whether a database accepts everything in it for sure; if not,
        `make_storable` returns an accepted copy of a part.

    Raises:
        UnreadableJson: as for `parse_json`.

    """
    try:
        value = orjson.loads(body)  # accepts neither NaN nor infinity nor lone surrogates
    except orjson.JSONDecodeError:
        return _parse_json_slowly(body), False
    opened = body.count(b"{") + body.count(b"[")
    return value, opened <= MAX_DEPTH and b"\\u0000" not in body


def _parse_json_slowly(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=str)
    except RecursionError:
        raise UnreadableJson("nested too deeply") from None
    except ValueError as error:  # malformed, not UTF-8, or a number of thousands of digits
        raise UnreadableJson(f"not JSON: {error}") from None


def make_storable(value: Any, *, depth: int = 0) -> Any:
    """Return a copy of a value without what a database refuses.

    NUL characters are removed, lone surrogates become U+FFFD, and numbers that JSON cannot
    express become text.

    Raises:
        UnreadableJson: it nests deeper than `MAX_DEPTH`.

    """
    if isinstance(value, str):
        return _make_text_storable(value)
    if isinstance(value, dict | list) and depth >= MAX_DEPTH:
        raise UnreadableJson("nested too deeply")
    if isinstance(value, dict):
        return {
            _make_text_storable(str(key)): make_storable(inner, depth=depth + 1)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [make_storable(inner, depth=depth + 1) for inner in value]
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value


def _make_text_storable(text: str) -> str:
    if text.isascii():
        return text.replace("\0", "") if "\0" in text else text
    return _LONE_SURROGATE.sub("\ufffd", text).replace("\0", "")


def write_canonical_json(value: Any) -> bytes:
    """Return a value as canonical JSON, the same bytes for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def read_items(value: Any) -> list[Any]:
    """Return the elements of an array, an object `{"0": …}`, or a single value."""
    if isinstance(value, list):
        return value
    if value is None:
        return []
    if isinstance(value, dict) and all(key.isdecimal() for key in value):
        return [value[key] for key in sorted(value, key=lambda key: (len(key), key))]
    return [value]


def read_mapping(value: Any, *path: str) -> Mapping[str, Any]:
    """Return the object at `path` in a value, or an empty one."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def read_string(value: Any, *path: str) -> str:
    """Return the text or number at `path` in a value as storable text, or an empty one."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, str):
        return (
            value if value.isascii() and "\0" not in value else _make_text_storable(value)
        ).strip()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def read_integer(value: Any) -> int | None:
    """Return a number, also one written as text, if it fits an integer column."""
    text = read_string(value)
    if not re.fullmatch(r"-?[0-9]{1,10}", text) or abs(int(text)) > _MAX_SQL_INTEGER:
        return None
    return int(text)


def read_timestamp(value: Any) -> datetime | None:
    """Return a timestamp, from text or a number in seconds since 1970, at times milliseconds."""
    text = (
        str(int(value)) if isinstance(value, float) and value.is_integer() else read_string(value)
    )
    if not re.fullmatch(r"[0-9]{1,16}", text):
        return None
    seconds = int(text)
    if seconds >= _MIN_MILLISECONDS:
        seconds //= 1000
    if not 0 < seconds < _MAX_TIMESTAMP:
        return None
    return datetime.fromtimestamp(seconds, tz=UTC)
