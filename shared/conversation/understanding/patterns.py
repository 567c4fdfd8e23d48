"""Patterns of words, compiled so that the longest one at a place of a text is found quickly.

A pattern is written as in `english.toml`: words in lower case, `(a|b c)` for one of several,
`[a|b]` for one of several or nothing, `<name>` for a word of a class, and `<n>` for up to nine
digits. A text is its words, each followed by one space.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

_PIECES: Final = re.compile(r"[()\[\]|]|<\w+>|[^\s()\[\]|<>]+")
_CLOSING: Final = {"(": ")", "[": "]"}
DIGITS: Final = "<n>"
"""The class of words of digits alone."""


class PatternError(ValueError):
    """A pattern is not written as it should be."""


@dataclass(frozen=True, slots=True)
class Pattern[Meaning]:
    """A pattern as a regular expression.

    Attributes:
        expression: matches the words of the pattern, each with a space after it.
        meaning: what the words mean.

    """

    expression: str
    meaning: Meaning


@dataclass(slots=True)
class PatternIndex[Meaning]:
    """Patterns by the words that they may begin with.

    Attributes:
        classes: the words of each class, which may name other classes and have several words.
        expand: returns the words that a word stands for, such as "what is" for "whats".

    """

    classes: Mapping[str, Sequence[str]]
    expand: Callable[[str], Sequence[str]]
    _by_first_word: dict[str, list[Pattern[Meaning]]] = field(default_factory=dict)
    _words: set[str] = field(default_factory=set)
    _compiled_classes: dict[str, tuple[str, set[str], bool]] = field(default_factory=dict)

    def add(self, source: str, meaning: Meaning) -> None:
        """Add a pattern.

        Raises:
            PatternError: the pattern is not well-formed, or may match nothing.

        """
        expression, firsts, is_empty = self._compile(source)
        if is_empty:
            raise PatternError(f"the pattern may be empty: {source!r}")
        pattern = Pattern(expression, meaning)
        for first in sorted(firsts):
            self._by_first_word.setdefault(first, []).append(pattern)

    @property
    def words(self) -> frozenset[str]:
        """All words of all patterns."""
        return frozenset(self._words)

    def find_longest(self, text: str, place: int, first_word: str) -> tuple[int, list[Meaning]]:
        """Return the end of the longest match at a place, and the meanings of those so long.

        Args:
            text: the words, each followed by a space.
            place: the index of the character at which a word begins.
            first_word: that word.

        """
        key = DIGITS if first_word.isdecimal() else first_word
        candidates = self._by_first_word.get(key, ())
        if key != first_word:
            candidates = [*candidates, *self._by_first_word.get(first_word, ())]
        longest, meanings = place, list[Meaning]()
        for pattern in candidates:
            found = _compile_expression(pattern.expression).match(text, place)
            if found is None or found.end() < longest:
                continue
            if found.end() > longest:
                longest, meanings = found.end(), []
            meanings.append(pattern.meaning)
        return longest, meanings

    def _compile(self, source: str) -> tuple[str, set[str], bool]:
        """Return a pattern's expression, its first words, and whether it may match nothing."""
        pieces = _PIECES.findall(source)
        if "".join(pieces) != re.sub(r"\s", "", source):
            raise PatternError(f"unexpected characters in {source!r}")
        compiled, rest = self._compile_sequence(pieces, source)
        if rest:
            raise PatternError(f"unbalanced brackets in {source!r}")
        return compiled

    def _compile_sequence(
        self, pieces: Sequence[str], source: str
    ) -> tuple[tuple[str, set[str], bool], Sequence[str]]:
        """Compile pieces up to a closing bracket or a bar, which are left in the rest."""
        expression, firsts, is_empty = "", set[str](), True
        while pieces and pieces[0] not in {")", "]", "|"}:
            head, *pieces = pieces
            if head in _CLOSING:
                part, pieces = self._compile_group(head, pieces, source)
            elif head.startswith("<") and head != DIGITS:
                part = self._compile_class(head[1:-1], source)
            else:
                part = self._compile_words([head] if head == DIGITS else self.expand(head))
            expression += part[0]
            if is_empty:
                firsts |= part[1]
            is_empty = is_empty and part[2]
        return (expression, firsts, is_empty), pieces

    def _compile_group(
        self, opening: str, pieces: Sequence[str], source: str
    ) -> tuple[tuple[str, set[str], bool], Sequence[str]]:
        options: list[tuple[str, set[str], bool]] = []
        while True:
            option, pieces = self._compile_sequence(pieces, source)
            options.append(option)
            if not pieces:
                raise PatternError(f"unbalanced brackets in {source!r}")
            end, *pieces = pieces
            if end != "|":
                break
        if end != _CLOSING[opening] or any(is_empty for _, _, is_empty in options):
            raise PatternError(f"unbalanced brackets or an empty choice in {source!r}")
        return _join_options(options, is_optional=opening == "["), pieces

    def _compile_class(self, name: str, source: str) -> tuple[str, set[str], bool]:
        if name not in self.classes:
            raise PatternError(f"unknown class {name!r} in {source!r}")
        if name not in self._compiled_classes:
            options = list(map(self._compile, self.classes[name]))
            self._compiled_classes[name] = _join_options(options, is_optional=False)
        return self._compiled_classes[name]

    def _compile_words(self, words: Iterable[str]) -> tuple[str, set[str], bool]:
        written = list(words)
        self._words |= set(written) - {DIGITS}
        parts = [r"\d{1,9}+ " if word == DIGITS else _escape(word) for word in written]
        return "".join(parts), set(written[:1]), not written


@cache
def _escape(word: str) -> str:
    return re.escape(word) + " "


@cache
def _compile_expression(expression: str) -> re.Pattern[str]:
    """Compile an expression when it is first tried: all of them would take 0.1 s of a start."""
    return re.compile(expression)


def _join_options(
    options: Sequence[tuple[str, set[str], bool]], *, is_optional: bool
) -> tuple[str, set[str], bool]:
    # Longer ones first: of two that begin alike, the first that matches is taken.
    expressions = sorted({expression for expression, _, _ in options}, key=len, reverse=True)
    firsts = set[str]().union(*(first for _, first, _ in options))
    joined = f"(?:{'|'.join(expressions)})"
    return (joined + "?" if is_optional else joined), firsts, is_optional
