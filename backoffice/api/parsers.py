"""How a body is read: JSON in UTF-8 that every part behind here can keep."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

_UNSTORABLE_CHARACTERS: Final = re.compile("[\0\ud800-\udfff]")
"""What PostgreSQL has no place for, and halves of characters that cannot be written as UTF-8."""


class StrictJsonParser(JSONParser):
    """JSON as RFC 8259 has it: in UTF-8, without NaN and Infinity, nested no deeper than we go."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:  # noqa: ARG002
        """Read a body.

        Raises:
            ParseError: it is no JSON, or has text that nobody can keep.

        """
        try:
            found = json.loads(stream.read().decode("utf-8-sig"), parse_constant=_refuse_constant)
        except ValueError as error:
            raise ParseError(f"The body is not valid JSON: {error}") from error
        except RecursionError:
            raise ParseError("The body is nested too deep.") from None
        if any(_UNSTORABLE_CHARACTERS.search(text) for text in _iterate_texts(found)):
            raise ParseError("The body has characters that are none: NUL, or half of a pair.")
        return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _iterate_texts(body: Any) -> Iterator[str]:
    """Give every text in a body, names of fields, too."""
    waiting = [body]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case dict() as fields:
                waiting += [*fields, *fields.values()]
            case list() as parts:
                waiting += parts
