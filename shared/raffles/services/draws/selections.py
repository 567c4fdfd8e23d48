"""The selection of a ticket number by each method, from a sealed list and what counts as input."""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.core.enums import DrawMethod
from shared.raffles.draws import draw_methods
from shared.raffles.draws.draw_errors import InputsMissing, PoolExhausted
from shared.raffles.draws.draw_methods import Selection
from shared.raffles.draws.draw_models import DrawResult, Prize, SourceReading
from shared.raffles.models import Raffle
from shared.raffles.services.draws.source_readings import SourceState


@dataclass(frozen=True, slots=True)
class SelectionInputs:
    """What the next selection is computed from.

    Attributes:
        pool: the sealed list, in order.
        states: the public sources with their values; empty for a drum.
        stubs: of a drum: the stub of each prize's next attempt.
        key_string: of RFC 3797; empty for the other methods.
        before: results from the same values, all prizes together.
        valid: results from values that count.

    """

    pool: Sequence[str]
    states: Sequence[SourceState]
    stubs: Sequence[SourceReading]
    key_string: str
    before: Sequence[DrawResult]
    valid: Sequence[DrawResult]


def select_ticket(
    raffle: Raffle, prize: Prize, inputs: SelectionInputs
) -> tuple[Selection, dict[str, Any]]:
    """Return the next selection for a prize, and what it was computed from.

    Raises:
        InputsMissing: its values are void, or no stub was entered for it.
        PoolExhausted: all numbers were drawn.

    """
    match DrawMethod(raffle.draw_method):
        case DrawMethod.PUBLIC_VALUE:
            return _select_by_public_value(raffle, inputs)
        case DrawMethod.LOTTERY_DIGITS:
            return _select_by_lottery_digits(raffle, prize, inputs)
        case DrawMethod.RECORDED_DRUM:
            return _select_stub(prize, inputs)


def _select_by_public_value(
    raffle: Raffle, inputs: SelectionInputs
) -> tuple[Selection, dict[str, Any]]:
    pool, before = inputs.pool, inputs.before
    if len(before) >= len(pool):
        raise PoolExhausted
    removed = [
        bisect.bisect_left(pool, raffle.format_ticket_number(result.number)) for result in before
    ]
    selected = draw_methods.select_by_rfc3797(
        pool, key_string=inputs.key_string, removed=removed, selection=len(before)
    )
    return selected, {
        "readings": [state.reading.pk for state in inputs.states if state.reading is not None],
        "key_string": inputs.key_string,
        "digest": selected.digest,
        "left": len(pool) - len(removed),
        "index": selected.index,
    }


def _select_by_lottery_digits(
    raffle: Raffle, prize: Prize, inputs: SelectionInputs
) -> tuple[Selection, dict[str, Any]]:
    """Return the ticket of the last digits, or the next sold one that has not been selected.

    A prize that is drawn again goes on upwards from its former number.
    """
    state = next(state for state in inputs.states if state.source.position == prize.position)
    reading = state.reading
    if reading is None or not reading.counts:
        raise InputsMissing(missing=[prize.title])
    digits = draw_methods.take_last_digits(reading.values[0], width=raffle.width)
    drawn = {raffle.format_ticket_number(result.number) for result in inputs.valid}
    own = [result for result in inputs.valid if result.prize_id == prize.pk]
    start = raffle.format_ticket_number(own[-1].number) if own else digits
    selected = draw_methods.select_next_sold(
        inputs.pool, start=start, excluded=drawn, after=bool(own)
    )
    if selected is None:
        raise PoolExhausted
    return selected, {
        "readings": [*(passed.pk for passed in state.passed), reading.pk],
        "value": reading.values[0],
        "digits": digits,
    }


def _select_stub(prize: Prize, inputs: SelectionInputs) -> tuple[Selection, dict[str, Any]]:
    stub = next((stub for stub in inputs.stubs if stub.prize_id == prize.pk), None)
    if stub is None or not stub.counts:
        raise InputsMissing(missing=[prize.title])
    ticket = stub.values[0]
    place = bisect.bisect_left(inputs.pool, ticket)
    return Selection(index=place, ticket=ticket), {"readings": [stub.pk]}
