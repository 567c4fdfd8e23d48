"""Strict JSON parser for request bodies."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

_UNSTORABLE_CHARACTERS: Final = re.compile("[\0\ud800-\udfff]")
"""NUL, which PostgreSQL cannot store, and lone surrogates, which UTF-8 cannot encode."""


class StrictJsonParser(JSONParser):
    """Parser of JSON as in RFC 8259: in UTF-8, without NaN and Infinity, of limited depth."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:  # noqa: ARG002
        """Return the value of a body.

        Raises:
            ParseError: the body is not valid JSON, is nested too deep, or has text that the
                database cannot store.

        """
        try:
            body = json.loads(stream.read().decode("utf-8-sig"), parse_constant=_refuse_constant)
        except ValueError as error:
            raise ParseError(f"The body is not valid JSON: {error}") from error
        except RecursionError:
            raise ParseError("The body is nested too deep.") from None
        if any(_UNSTORABLE_CHARACTERS.search(text) for text in _iterate_texts(body)):
            raise ParseError("The body has characters that are none: NUL, or half of a pair.")
        return body


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _iterate_texts(body: Any) -> Iterator[str]:
    """Yield every text in a body, including the names of fields."""
    waiting = [body]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case dict() as fields:
                waiting += [*fields, *fields.values()]
            case list() as parts:
                waiting += parts
