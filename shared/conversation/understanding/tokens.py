"""Tokens of a buyer's text: words, numbers and signs, with their places."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.conversation.understanding.text_normalization import strip_within_limit

UNREADABLE: Final = "\ufffd"
"""Stands for a sign such as ² or ½, which would become another number if it were folded."""

_KEYCAP: Final = "\u20e3"
_APOSTROPHES: Final = frozenset("'’`´")
_INVISIBLE: Final = frozenset({"Cf", "Sk", "Mn", "Me", "Cc"})


class TokenKind(StrEnum):
    """The kind of a token."""

    WORD = "word"
    NUMBER = "number"
    SIGN = "sign"
    BREAK = "break"  # a new line, or another message


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a folded text.

    Attributes:
        text: the piece; a word has no apostrophes, a number only the digits from 0 to 9.
        start: the index of its first character in the folded text.
        end: the index after its last character.

    """

    kind: TokenKind
    text: str
    start: int
    end: int


def fold_text(text: str, *, emoji: Mapping[str, str], limit: int) -> str:
    """Return a text in one form of case, width, digits and emoji; empty if it is too long.

    Args:
        text: the buyer's text.
        emoji: the word that an emoji stands for.
        limit: the longest text that is read, in characters, before and after the folding.

    """
    stripped = strip_within_limit(text, limit=limit)
    written = "".join(_replace_character(char, emoji) for char in stripped)
    folded = unicodedata.normalize("NFKC", written).casefold()
    return folded if len(folded) <= limit + 8 * len(emoji) else ""


def _replace_character(char: str, emoji: Mapping[str, str]) -> str:
    if char.isascii():
        return char
    if char == _KEYCAP or 0xFE00 <= ord(char) <= 0xFE0F:  # noqa: PLR2004 - variation selectors
        return ""
    if char in emoji:
        return f" {emoji[char]} "
    return UNREADABLE if unicodedata.category(char) == "No" else char


def split_tokens(folded: str) -> list[Token]:
    """Return the tokens of a folded text, in their order."""
    tokens: list[Token] = []
    place = 0
    while place < len(folded):
        kind = _classify(folded[place])
        if kind is None:
            place += 1
            continue
        end = place + 1
        if kind in {TokenKind.WORD, TokenKind.NUMBER}:
            end = _find_end(folded, place, kind)
        tokens.append(Token(kind, _clean(folded[place:end], kind), place, end))
        place = end
    return tokens


def _classify(char: str) -> TokenKind | None:
    if char == "\n":
        return TokenKind.BREAK
    category = unicodedata.category(char)
    if category == "Nd":
        return TokenKind.NUMBER
    if category.startswith("L"):
        return TokenKind.WORD
    if char.isspace() or category in _INVISIBLE:
        return None
    return TokenKind.SIGN


def _find_end(folded: str, start: int, kind: TokenKind) -> int:
    end = start + 1
    while end < len(folded):
        char = folded[end]
        same = _classify(char) is kind
        inside = kind is TokenKind.WORD and (
            unicodedata.category(char) in {"Mn", "Cf"}
            or (char in _APOSTROPHES and _classify(folded[end + 1 : end + 2] or " ") is kind)
        )
        if not (same or inside):
            break
        end += 1
    return end


def _clean(piece: str, kind: TokenKind) -> str:
    if kind is TokenKind.NUMBER:
        return "".join(str(unicodedata.digit(char)) for char in piece)
    if kind is TokenKind.WORD:
        letters = unicodedata.normalize("NFD", piece)
        return "".join(char for char in letters if unicodedata.category(char).startswith("L"))
    return piece


def are_adjacent(first: Token, second: Token) -> bool:
    """Return whether nothing stands between two tokens."""
    return first.end == second.start


def has_sign(tokens: Sequence[Token], sign: str) -> bool:
    """Return whether a sign is among the tokens."""
    return any(token.kind is TokenKind.SIGN and token.text == sign for token in tokens)
