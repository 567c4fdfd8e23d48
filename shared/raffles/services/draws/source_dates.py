"""The dates of a raffle's public sources: each repeats, and the list must be sealed before.

Pure functions of rows that were loaded.
"""

from datetime import datetime, timedelta
from math import floor
from typing import Final

from shared.core.enums import SourceKind
from shared.raffles.draws import draw_methods
from shared.raffles.draws.draw_models import DrawSource
from shared.raffles.models import Raffle

SEALING_LEAD: Final = timedelta(minutes=5)
"""Time from the sealing to the source's date that decides, at least.

Sealing a million numbers takes seconds, and clocks differ.
"""
SOLD_OUT_LEAD: Final = timedelta(minutes=10)
"""Time from the sealing to the draw, if the raffle is drawn when sold out."""


def find_first_date(source: DrawSource, raffle: Raffle, *, sealed_at: datetime) -> int:
    """Return the index of the source's first date that comes long enough after the sealing.

    Args:
        source: the source.
        raffle: its raffle.
        sealed_at: time of the sealing.

    Returns:
        0 for the date that the rules name, 1 for the next one, and so on.

    """
    named = compute_date(source, raffle, sealed_at=sealed_at, index=0)
    earliest = sealed_at + SEALING_LEAD
    if named > earliest:
        return 0
    return floor((earliest - named) / timedelta(days=source.repeat_days)) + 1


def compute_date(
    source: DrawSource, raffle: Raffle, *, sealed_at: datetime, index: int
) -> datetime:
    """Return a date of a source: the named one for index 0, else a later one."""
    first = source.at or raffle.draw_at or sealed_at + SOLD_OUT_LEAD
    return first + timedelta(days=source.repeat_days * index)


def describe_date(source: DrawSource, at: datetime, *, index: int) -> dict[str, object]:
    """Return a source and its date as they stand in the sealed list and in the record."""
    described: dict[str, object] = {
        "position": source.position,
        "kind": source.kind,
        "name": source.name,
        "url": source.url,
        "date_index": index,
        "at": at.isoformat(),
    }
    if source.kind == SourceKind.DRAND:
        described["chain"] = draw_methods.DRAND_CHAIN
        described["round"] = draw_methods.compute_drand_round(at)
    return described
