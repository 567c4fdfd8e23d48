"""Step counter for regular expressions, because `re` runs in C where no tracer sees it.

This is a plain backtracking matcher over the parsed pattern. `re` has optimizations, so it takes no
more steps than are counted here.
"""

import importlib
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

_parser: Any = importlib.import_module(
    "re._parser"
)  # private, but the only access to parsed patterns

type Then = Callable[[int], int | None]

_CATEGORIES: Final[dict[str, Callable[[str], bool]]] = {
    "CATEGORY_DIGIT": str.isdecimal,
    "CATEGORY_NOT_DIGIT": lambda character: not character.isdecimal(),
    "CATEGORY_SPACE": str.isspace,
    "CATEGORY_NOT_SPACE": lambda character: not character.isspace(),
    "CATEGORY_WORD": lambda character: character.isalnum() or character == "_",
    "CATEGORY_NOT_WORD": lambda character: not (character.isalnum() or character == "_"),
}
_ONE_CHARACTER: Final = frozenset({"LITERAL", "NOT_LITERAL", "ANY", "IN"})


@cache
def _parse_pattern(pattern: re.Pattern[str]) -> list[Any]:
    return list(_parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))


class StepCounter:
    """Matches one pattern against one text and counts the steps.

    Attributes:
        steps: number of pattern elements tried so far.

    """

    def __init__(self, pattern: re.Pattern[str], text: str) -> None:
        """Parse the pattern again; `re` does not keep the parsed form."""
        self.steps = 0
        self._text = text
        self._parsed = _parse_pattern(pattern)
        self._known: dict[tuple[int, str], bool] = {}
        self._caseless = bool(pattern.flags & re.IGNORECASE)
        self._ascii = bool(pattern.flags & re.ASCII)

    def find_spans(self) -> list[tuple[int, int]]:
        """Return the spans of the matches of `pattern.finditer(text)`."""
        spans: list[tuple[int, int]] = []
        start = 0
        while start <= len(self._text):
            end = self._match(self._parsed, 0, start, lambda position: position)
            if end is not None:
                spans.append((start, end))
            start = start + 1 if end is None or end == start else end
        return spans

    def matches_fully(self) -> bool:
        """Return whether `pattern.fullmatch(text)` matches."""
        length = len(self._text)
        return (
            self._match(
                self._parsed, 0, 0, lambda position: position if position == length else None
            )
            is not None
        )

    def _match(self, items: Sequence[Any], index: int, start: int, then: Then) -> int | None:
        if index == len(items):
            return then(start)
        self.steps += 1
        kind, value = items[index][0].name, items[index][1]
        if kind in _ONE_CHARACTER:
            fits = self._fits(items[index], start)
            return self._match(items, index + 1, start + 1, then) if fits else None
        rest: Then = lambda position: self._match(items, index + 1, position, then)  # noqa: E731
        match kind:
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                return self._repeat(kind, value, start, rest)
            case "SUBPATTERN":
                return self._match(value[3], 0, start, rest)
            case "ATOMIC_GROUP":
                end = self._match(value, 0, start, lambda position: position)
                return None if end is None else rest(end)
            case "BRANCH":
                ends = (self._match(branch, 0, start, rest) for branch in value[1])
                return next((end for end in ends if end is not None), None)
            case "AT":
                return rest(start) if self._is_at(str(value), start) else None
            case "ASSERT" | "ASSERT_NOT":
                direction, inner = value
                begin = start if direction > 0 else start - inner.getwidth()[0]
                seen = begin >= 0 and self._match(inner, 0, begin, lambda end: end) is not None
                return rest(start) if seen is (kind == "ASSERT") else None
        raise NotImplementedError(kind)

    def _repeat(self, kind: str, value: Any, start: int, rest: Then) -> int | None:
        least, most, inner = value
        if len(inner) != 1 or inner[0][0].name not in _ONE_CHARACTER:
            return self._repeat_group(kind, value, start, rest)
        reach = 0
        while reach < int(most) and self._fits(inner[0], start + reach):
            self.steps += 1
            reach += 1
        if reach < least:
            return None
        counts = {
            "MAX_REPEAT": range(reach, least - 1, -1),
            "MIN_REPEAT": range(least, reach + 1),
            "POSSESSIVE_REPEAT": range(reach, reach + 1),
        }[kind]
        for count in counts:
            self.steps += 1
            end = rest(start + count)
            if end is not None:
                return end
        return None

    def _repeat_group(self, kind: str, value: Any, start: int, rest: Then) -> int | None:
        least, most, inner = value
        possessive = kind == "POSSESSIVE_REPEAT"

        def again(count: int, position: int) -> int | None:
            def onward(end: int) -> int | None:
                return again(count + 1, end) if end > position or count < least else None

            leave: Then = (lambda end: end) if possessive else rest
            if kind == "MIN_REPEAT" and count >= least and (end := leave(position)) is not None:
                return end
            if count < int(most) and (end := self._match(inner, 0, position, onward)) is not None:
                return end
            return leave(position) if kind != "MIN_REPEAT" and count >= least else None

        end = again(0, start)
        return rest(end) if possessive and end is not None else end

    def _fits(self, item: Any, position: int) -> bool:
        if position >= len(self._text):
            return False
        character = self._text[position]
        known = (id(item), character)  # the parsed pattern lives as long as the counter
        if known not in self._known:
            self._known[known] = self._matches_character(item, character)
        return self._known[known]

    def _matches_character(self, item: Any, character: str) -> bool:
        kind, value = str(item[0]), item[1]
        match kind:
            case "LITERAL":
                return self._is_same(character, value)
            case "NOT_LITERAL":
                return not self._is_same(character, value)
            case "ANY":
                return character != "\n"
        negated = str(value[0][0]) == "NEGATE"
        return any(self._is_member(character, member) for member in value) is not negated

    def _is_member(self, character: str, member: Any) -> bool:
        match str(member[0]):
            case "LITERAL":
                return self._is_same(character, member[1])
            case "RANGE":
                return bool(member[1][0] <= ord(character) <= member[1][1])
            case "CATEGORY":
                return self._is_in_category(character, str(member[1]))
        return False

    def _is_in_category(self, character: str, category: str) -> bool:
        """Return whether a character belongs to a category; with `re.ASCII` others are like NUL."""
        if self._ascii and not character.isascii():
            character = "\0"
        return _CATEGORIES[category](character)

    def _is_same(self, character: str, code: int) -> bool:
        if self._caseless:
            return character.lower() == chr(code).lower()
        return ord(character) == code

    def _is_at(self, place: str, position: int) -> bool:
        match place:
            case "AT_BEGINNING" | "AT_BEGINNING_STRING":
                return position == 0
            case "AT_END":
                return self._text[position:] in {"", "\n"}
            case "AT_END_STRING":
                return position == len(self._text)
        before = position > 0 and self._is_in_category(self._text[position - 1], "CATEGORY_WORD")
        after = position < len(self._text) and self._is_in_category(
            self._text[position], "CATEGORY_WORD"
        )
        return (before is not after) is (place == "AT_BOUNDARY")
