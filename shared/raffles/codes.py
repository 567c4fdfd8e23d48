"""Order codes such as R-7K3F9: short, readable aloud, and a keyed permutation of the order's id."""

import hashlib
import re
import unicodedata
from typing import Final

CODE_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Digits first; without 0, O, 1, I, L and U, which are easily mistaken for each other."""

_DIGIT_COUNT: Final = 8
"""Digits at the start of the alphabet."""
_CODE_LENGTHS: Final = (5, 6)
_FEISTEL_ROUNDS: Final = 6
_MAX_TYPED: Final = 40
"""Characters of input that may be a code: it has eight, and people add spaces and dashes."""
_SEPARATORS: Final = re.compile(r"[\s\-_.#‐‑‒–—−]+")


def build_order_code(order_id: int, *, key: bytes, tweak: int = 0) -> str:
    """Return the code of an order; under one key and tweak no two ids share a code.

    Every code contains a letter, so it cannot be mistaken for an id or a ticket number. The first
    24 million ids get codes of five characters, later ids codes of six.

    Args:
        order_id: the order's primary key, at least 0.
        key: at most 32 secret bytes; without them nobody can tell from a code how many orders
            there are.
        tweak: each value selects another permutation, for the case that a code is already in use.

    Returns:
        The code with its prefix, such as R-7K3F9.

    Raises:
        ValueError: the id is negative or beyond the last code of six characters.

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
    """Return a typed code in its canonical spelling, or None if it cannot be a code.

    Case, spaces, dashes and the leading R do not matter: "r 7k3f9", "R-7K3F9" and "7k3f9" are the
    same code. Six characters that begin with R are read as R and a code of five.
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
    """Return how many codes of this length have at least one letter."""
    return int(len(CODE_ALPHABET) ** length - _DIGIT_COUNT**length)


def _spell_code(index: int, *, length: int) -> str:
    """Return the code at this index among those with a letter, ordered by their leading digits."""
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
    raise ValueError(f"there is no code {index} of {length} characters")


def _write_in_base(value: int, *, base: int, length: int) -> str:
    text = ""
    for _ in range(length):
        value, digit = divmod(value, base)
        text = CODE_ALPHABET[digit] + text
    return text


def _permute_index(index: int, *, size: int, key: bytes, seed: bytes) -> int:
    """Permute 0 to `size` - 1 with a Feistel network, applied again until the result is in range.

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
