"""Order codes such as R-7K3F9: short, readable aloud, and a keyed permutation of the order's id."""

import hashlib
import re
import unicodedata
from typing import Final

CODE_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Digits first; without 0 O, 1 I L and U, which are mistaken for each other by eye or ear."""

_DIGIT_COUNT: Final = 8  # how many of the alphabet are digits
_CODE_LENGTHS: Final = (5, 6)
_FEISTEL_ROUNDS: Final = 6
_MAX_TYPED: Final = 40
"""Characters; a code has eight, and forty leave room for any way of spacing it."""
_SEPARATORS: Final = re.compile(r"[\s\-_.#‐‑‒–—−]+")


def build_order_code(order_id: int, *, key: bytes, tweak: int = 0) -> str:
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
    for length in _CODE_LENGTHS:
        size = _count_codes(length)
        if 0 <= index < size:
            seed = b"%d.%d" % (tweak, length)
            return "R-" + _spell_code(
                _permute_index(index, size=size, key=key, seed=seed), length=length
            )
        index -= size
    raise ValueError(f"no order code for id {order_id}")


def normalise_code(text: str) -> str | None:
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
        if body.startswith("R") and len(body) - 1 in _CODE_LENGTHS:
            body = body[1:]
    if len(body) not in _CODE_LENGTHS or not set(body) <= set(CODE_ALPHABET) or body.isdigit():
        return None
    return "R-" + body


def _count_codes(length: int) -> int:
    """Count the words of that length with at least one letter."""
    return int(len(CODE_ALPHABET) ** length - _DIGIT_COUNT**length)


def _spell_code(index: int, *, length: int) -> str:
    """Give the word with that index among those with a letter: grouped by its leading digits."""
    base, letters = len(CODE_ALPHABET), len(CODE_ALPHABET) - _DIGIT_COUNT
    for leading in range(length):
        tail = base ** (length - leading - 1)
        group = _DIGIT_COUNT**leading * letters * tail
        if index < group:
            head, rest = divmod(index, tail)
            digits, letter = divmod(head, letters)
            return (
                _write_in_base(digits, base=_DIGIT_COUNT, length=leading)
                + CODE_ALPHABET[_DIGIT_COUNT + letter]
                + _write_in_base(rest, base=base, length=length - leading - 1)
            )
        index -= group
    raise ValueError(f"there is no word {index} of {length} characters")


def _write_in_base(value: int, *, base: int, length: int) -> str:
    word = ""
    for _ in range(length):
        value, digit = divmod(value, base)
        word = CODE_ALPHABET[digit] + word
    return word


def _permute_index(index: int, *, size: int, key: bytes, seed: bytes) -> int:
    """Send 0..size-1 onto itself: a Feistel network, walked until it is back in range.

    Source: Black and Rogaway, "Ciphers with Arbitrary Finite Domains" (2002), method 2.
    """
    half = (size.bit_length() + 1) // 2
    while True:
        left, right = index >> half, index & ((1 << half) - 1)
        for turn in range(_FEISTEL_ROUNDS):
            mixed = hashlib.blake2s(b"%s.%d.%d" % (seed, turn, right), key=key, digest_size=8)
            left, right = right, left ^ (int.from_bytes(mixed.digest()) & ((1 << half) - 1))
        index = left << half | right
        if index < size:
            return index
