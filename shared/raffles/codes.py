"""Order codes such as R-7K3F9: short, readable aloud, and a keyed permutation of the order's id."""

import hashlib
import re
import unicodedata
from typing import Final

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Digits first; without 0 O, 1 I L and U, which are mistaken for each other by eye or ear."""

_DIGITS: Final = 8  # how many of the alphabet are digits
_LENGTHS: Final = (5, 6)
_ROUNDS: Final = 6
_MAX_TYPED: Final = 40
"""Characters; a code has eight, and forty leave room for any way of spacing it."""
_SEPARATORS: Final = re.compile(r"[\s\-_.#‐‑‒–—−]+")


def code_for(order_id: int, *, key: bytes, tweak: int = 0) -> str:
    """Give the code of an order; different ids never share one under the same key and tweak.

    Every code has a letter, so that it is never taken for an id or a ticket number. The first 24
    million ids get five characters, later ones six.

    Args:
        order_id: the order's primary key, at least 0.
        key: at most 32 secret bytes; who lacks them cannot tell how many orders there are.
        tweak: another number gives another permutation, for when a code is already in use.

    Raises:
        ValueError: for an id that is negative or beyond the last code of six characters.

    """
    index = order_id
    for length in _LENGTHS:
        size = _words(length)
        if 0 <= index < size:
            seed = b"%d.%d" % (tweak, length)
            return "R-" + _spelt(_permuted(index, size=size, key=key, seed=seed), length=length)
        index -= size
    raise ValueError(f"no order code for id {order_id}")


def normalised(text: str) -> str | None:
    """Give the code somebody typed in its one spelling, or None if it cannot be a code.

    Case, spaces, dashes and the leading R do not matter: "r 7k3f9", "R-7K3F9" and "7k3f9" are
    one. Six characters that begin with R are read as R and a code of five.
    """
    typed = text.strip()
    if len(typed) > _MAX_TYPED:
        return None
    parts = [
        part for part in _SEPARATORS.split(unicodedata.normalize("NFKC", typed).upper()) if part
    ]
    if len(parts) > 1 and parts[0] == "R":
        body = "".join(parts[1:])
    else:
        body = "".join(parts)
        if body.startswith("R") and len(body) - 1 in _LENGTHS:
            body = body[1:]
    if len(body) not in _LENGTHS or not set(body) <= set(ALPHABET) or body.isdigit():
        return None
    return "R-" + body


def _words(length: int) -> int:
    """Count the words of that length with at least one letter."""
    return int(len(ALPHABET) ** length - _DIGITS**length)


def _spelt(index: int, *, length: int) -> str:
    """Give the word with that index among those with a letter: grouped by its leading digits."""
    base, letters = len(ALPHABET), len(ALPHABET) - _DIGITS
    for leading in range(length):
        tail = base ** (length - leading - 1)
        group = _DIGITS**leading * letters * tail
        if index < group:
            head, rest = divmod(index, tail)
            digits, letter = divmod(head, letters)
            return (
                _in_base(digits, base=_DIGITS, length=leading)
                + ALPHABET[_DIGITS + letter]
                + _in_base(rest, base=base, length=length - leading - 1)
            )
        index -= group
    raise ValueError(f"there is no word {index} of {length} characters")


def _in_base(value: int, *, base: int, length: int) -> str:
    word = ""
    for _ in range(length):
        value, digit = divmod(value, base)
        word = ALPHABET[digit] + word
    return word


def _permuted(index: int, *, size: int, key: bytes, seed: bytes) -> int:
    """Send 0..size-1 onto itself: a Feistel network, walked until it is back in range.

    Source: Black and Rogaway, "Ciphers with Arbitrary Finite Domains" (2002), method 2.
    """
    half = (size.bit_length() + 1) // 2
    while True:
        left, right = index >> half, index & ((1 << half) - 1)
        for turn in range(_ROUNDS):
            mixed = hashlib.blake2s(b"%s.%d.%d" % (seed, turn, right), key=key, digest_size=8)
            left, right = right, left ^ (int.from_bytes(mixed.digest()) & ((1 << half) - 1))
        index = left << half | right
        if index < size:
            return index
