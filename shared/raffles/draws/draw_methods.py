"""Pure functions that find winners: RFC 3797 over a sealed list, and the digits of a lottery.

Nothing here reads a clock, a database or random numbers: the same list and the same public values
give the same winners on every machine.

Sources: RFC 3797 (https://www.rfc-editor.org/rfc/rfc3797); drand's quicknet
(https://docs.drand.love/dev-guide/developer/http-api).
"""

import bisect
import hashlib
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.core.enums import SourceKind

DRAND_CHAIN: Final = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
"""Hash that names drand's chain quicknet."""
DRAND_GENESIS: Final = 1_692_803_367
"""Time of quicknet's first round, in seconds since 1970 (UTC)."""
DRAND_PERIOD: Final = 3
"""Seconds from one round to the next."""
DRAND_VALUE: Final = re.compile(r"[0-9a-f]{64}")
"""The randomness of a round: a SHA-256, in hex."""

MIN_OUTCOMES_PER_TICKET: Final = 1_000
"""Fewer outcomes could leave tickets out that cannot win (RFC 3797, section 3.3)."""

MAX_VALUE_LENGTH: Final = 80
"""Characters of a value: drand's has 64, and the largest number of a lottery fewer."""


@dataclass(frozen=True, slots=True)
class SourceShape:
    """What a source can draw.

    Attributes:
        kind: drand draws one hash; the others draw whole numbers.
        value_count: how many numbers it draws.
        lowest: the smallest number it can draw.
        highest: the largest one.
        repeats_values: whether it can draw the same number twice.

    """

    kind: SourceKind
    value_count: int = 1
    lowest: int = 0
    highest: int = 0
    repeats_values: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """A selected ticket number.

    Attributes:
        index: its place among those still in the pool, from 0.
        ticket: the number as the list has it.
        digest: MD5 in hex, by which RFC 3797 chose it; empty for the other methods.

    """

    index: int
    ticket: str
    digest: str = ""


def compute_drand_round(at: datetime) -> int:
    """Return the round of drand's quicknet that is the latest one at a time."""
    return (math.floor(at.timestamp()) - DRAND_GENESIS) // DRAND_PERIOD + 1


def build_drand_url(round_number: int) -> str:
    """Return the address where a round of drand's quicknet is published with its randomness.

    Version 2 of drand's API has no randomness (https://docs.drand.love/developer/http-api).
    """
    return f"https://api.drand.sh/{DRAND_CHAIN}/public/{round_number}"


def count_outcomes(shape: SourceShape) -> int:
    """Return how many different results a source can have, all about equally likely.

    The order in which numbers are drawn does not count, as RFC 3797 sorts them. If numbers can
    repeat, the result is a lower bound.
    """
    if shape.kind is SourceKind.DRAND:
        return 2**256
    pool = shape.highest - shape.lowest + 1
    if not shape.repeats_values:
        return math.comb(pool, shape.value_count)
    sequences: int = pool**shape.value_count
    return max(sequences // math.factorial(shape.value_count), 1)


def find_value_problem(shape: SourceShape, values: Sequence[str]) -> str | None:
    """Return why values cannot be a result of a source, as a sentence, or None if they can.

    Args:
        shape: what the source can draw.
        values: the values as published; numbers may have leading zeros.

    """
    if len(values) != shape.value_count:
        wanted = "1 value" if shape.value_count == 1 else f"{shape.value_count} values"
        return f"It publishes {wanted}, not {len(values)}."
    if shape.kind is SourceKind.DRAND:
        if not DRAND_VALUE.fullmatch(values[0]):
            return "The randomness of a round has 64 hex digits, 0 to 9 and a to f."
        return None
    for value in values:
        if len(value) > MAX_VALUE_LENGTH:
            return f"“{value[:20]}…” is too long: a value has {MAX_VALUE_LENGTH} digits at most."
        if not (value.isascii() and value.isdigit()):
            return f"“{value[:20]}” is not a whole number in the digits 0 to 9."
        if not shape.lowest <= int(value) <= shape.highest:
            return f"{value[:20]} is not between {shape.lowest} and {shape.highest}."
    if not shape.repeats_values and len({int(value) for value in values}) < len(values):
        return "It never draws the same number twice."
    return None


def build_key_string(sources: Sequence[tuple[SourceKind, Sequence[str]]]) -> str:
    """Return the key string of RFC 3797, section 4.2.

    Args:
        sources: the kind and the values of each source, in the frozen order.

    Returns:
        The values of each source as decimal integers, ascending, each followed by a full stop,
        and a slash after each source. A round of drand stays as its 64 hex digits.

    """
    parts = []
    for kind, values in sources:
        if kind is SourceKind.DRAND:
            written = list(values)
        else:
            written = [str(value) for value in sorted(int(value) for value in values)]
        parts.append("".join(f"{value}." for value in written) + "/")
    return "".join(parts)


def compute_digest(key_string: str, selection: int) -> bytes:
    """Return the MD5 that makes a selection: 16 bytes, read as a big-endian integer.

    MD5 is no weakness: nobody chooses its input after the pool is fixed.

    Args:
        key_string: see `build_key_string`.
        selection: from 0 to 65535.

    """
    mark = selection.to_bytes(2, "big")
    return hashlib.md5(mark + key_string.encode("ascii") + mark, usedforsecurity=False).digest()


def select_by_rfc3797(
    pool: Sequence[str], *, key_string: str, removed: Sequence[int], selection: int
) -> Selection:
    """Return a selection from a pool.

    Args:
        pool: the sealed list, in order.
        key_string: see `build_key_string`.
        removed: places in `pool`, from 0, of those that were selected before with these inputs.
        selection: its number, from 0; as many as were selected before.

    Raises:
        ValueError: nothing is left in the pool.

    """
    left = len(pool) - len(removed)
    if left < 1:
        raise ValueError("the pool is empty")
    digest = compute_digest(key_string, selection)
    index = int.from_bytes(digest, "big") % left
    place = index
    for gone in sorted(removed):
        if gone <= place:
            place += 1
    return Selection(index=index, ticket=pool[place], digest=digest.hex())


def take_last_digits(value: str, *, width: int) -> str:
    """Return the last digits of a lottery's number, as many as a ticket number has."""
    return value.zfill(width)[-width:]


def is_sold(pool: Sequence[str], ticket: str) -> bool:
    """Whether a ticket number is on a sealed list.

    Args:
        pool: the sealed list, ascending, all of one width.
        ticket: a number of the same width.

    """
    place = bisect.bisect_left(pool, ticket)
    return place < len(pool) and pool[place] == ticket


def select_next_sold(
    pool: Sequence[str], *, start: str, excluded: Collection[str], after: bool
) -> Selection | None:
    """Return the first ticket number upwards from a number; the first one follows the last one.

    Args:
        pool: the sealed list, ascending, all of one width.
        start: a number of the same width; it need not be sold.
        excluded: numbers that were selected before.
        after: whether the search begins after `start`, not at it.

    Returns:
        The number, or None if all numbers of the pool are excluded.

    """
    place = bisect.bisect_right(pool, start) if after else bisect.bisect_left(pool, start)
    for step in range(len(pool)):
        ticket = pool[(place + step) % len(pool)]
        if ticket not in excluded:
            return Selection(index=(place + step) % len(pool), ticket=ticket)
    return None
