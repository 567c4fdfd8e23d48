"""Lookups of free ticket numbers: those like a buyer wants them, and some that they name."""

from collections.abc import Collection
from typing import Final

from shared.conversation.conversation_events import FreeNumbersFound, NumbersChecked
from shared.conversation.facts.values import RaffleFacts
from shared.conversation.texts.free_numbers import MAX_NUMBERS_SHOWN
from shared.conversation.understanding.numbers.number_patterns import NumberPattern, Parity, Part
from shared.core.enums import TicketStatus
from shared.raffles.models import Raffle, TicketNumber
from shared.raffles.services import availability, matching_numbers
from shared.raffles.services.matching_numbers import NumberOrder

MAX_NUMBERS_FOUND: Final = 100
"""The most ticket numbers that are looked up; no order can have more."""

MAX_NEIGHBOURS: Final = 6
"""The most free numbers that are offered in place of taken ones."""


def find_free_numbers(
    raffle: Raffle,
    known: RaffleFacts,
    pattern: NumberPattern,
    *,
    quantity: int | None,
    pivot: int,
) -> FreeNumbersFound:
    """Return free ticket numbers like a pattern; if there are none, some of a looser one.

    Args:
        raffle: the raffle.
        known: the facts about it.
        pattern: what the buyer asked for.
        quantity: how many they want; None: they did not say.
        pivot: a random integer from 0 to 2^31-1.

    """
    limit = max(MAX_NUMBERS_SHOWN + 1, min(quantity or 1, MAX_NUMBERS_FOUND))
    numbers = _list_numbers(raffle, pattern, limit=limit, pivot=pivot)
    looser = pattern.loosen()
    near: tuple[int, ...] = ()
    while not (numbers or near) and looser is not None:
        near_pattern, looser = looser, looser.loosen()
        near = _list_numbers(raffle, near_pattern, limit=MAX_NUMBERS_SHOWN + 1, pivot=pivot)
    return FreeNumbersFound(
        known, pattern, numbers, quantity, near_pattern=near_pattern if near else None, near=near
    )


def _list_numbers(
    raffle: Raffle, pattern: NumberPattern, *, limit: int, pivot: int
) -> tuple[int, ...]:
    found = matching_numbers.list_free_numbers(
        raffle,
        ending=pattern.ending,
        starting=pattern.starting,
        containing=pattern.containing,
        is_odd=None if pattern.parity is None else pattern.parity is Parity.ODD,
        low=pattern.low,
        high=pattern.high,
        order=_choose_order(pattern),
        limit=limit,
        pivot=pivot,
    )
    return tuple(found)


def _choose_order(pattern: NumberPattern) -> NumberOrder:
    """Return which numbers are shown of many: the first ones of a row that people know."""
    if pattern.part is Part.HIGH:
        return NumberOrder.HIGHEST
    if pattern in {NumberPattern(), NumberPattern(parity=pattern.parity)}:
        return NumberOrder.ANY
    return NumberOrder.LOWEST


def check_numbers(raffle: Raffle, known: RaffleFacts, numbers: Collection[int]) -> NumbersChecked:
    """Return which of some ticket numbers are free; only the first hundred are looked up."""
    asked = sorted(set(numbers))[:MAX_NUMBERS_FOUND]
    possible = [number for number in asked if known.has_ticket_number(number)]
    rows = TicketNumber.objects.filter(raffle=raffle, number__in=possible)
    found = rows.exclude(status=TicketStatus.AVAILABLE).values_list("number", flat=True)
    taken = sorted(found)
    near = availability.find_free_neighbours(raffle, numbers=taken, limit=MAX_NEIGHBOURS)
    return NumbersChecked(
        known,
        free=tuple(number for number in possible if number not in taken),
        taken=tuple(taken),
        unknown=tuple(number for number in asked if number not in possible),
        neighbours=tuple(number for number in near if number not in asked),
    )
