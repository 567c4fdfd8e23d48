"""Drawing: one irrevocable step from sealed list and confirmed values to the results.

A prize that is drawn again gets the next selection of the same list and values. New values decide
only if the former ones were declared void.
"""

import bisect
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from shared.core.enums import (
    DrawMethod,
    RaffleAction,
    RaffleStatus,
    RedrawReason,
    SourceKind,
)
from shared.raffles import draw_methods, receipt_lines
from shared.raffles.actor import Actor
from shared.raffles.draw_errors import (
    InputsChanged,
    InputsMissing,
    PoolExhausted,
    PrizeNotFound,
    RedrawTooEarly,
    ResultReplaced,
)
from shared.raffles.draw_models import DrawResult, Prize, SealedList, SourceReading
from shared.raffles.models import Raffle
from shared.raffles.notes import clean_note
from shared.raffles.services import raffle_history
from shared.raffles.services.draws import draw_rules, source_readings
from shared.raffles.services.draws.source_readings import SourceState


@dataclass(frozen=True, slots=True)
class DrawInputs:
    """What a draw is computed from.

    Attributes:
        list_hash: of the sealed list.
        count: ticket numbers on it.
        states: the public sources with their values; empty for a drum.
        stubs: of a drum: the stub of each prize's next attempt that was entered.
        prizes: prizes that are not drawn, or that were drawn from values that are void.
        missing: sources and prizes whose values are not entered and confirmed yet.
        key_string: of RFC 3797, once all values are there; empty for the other methods.

    """

    list_hash: str
    count: int
    states: Sequence[SourceState]
    stubs: Sequence[SourceReading]
    prizes: Sequence[Prize]
    missing: Sequence[str]
    key_string: str

    @property
    def fingerprint(self) -> str:
        """A hash that changes with any input; a form sends what it showed."""
        readings = [state.reading.pk for state in self.states if state.reading is not None]
        stubs = [stub.pk for stub in self.stubs]
        parts = [self.list_hash, readings, stubs, [prize.pk for prize in self.prizes]]
        return hashlib.sha256(repr(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Drawn:
    """Result of a draw.

    Attributes:
        results: what was drawn.
        repeated: whether everything had been drawn before and nothing was drawn now.

    """

    results: Sequence[DrawResult]
    repeated: bool


def load_inputs(raffle: Raffle, sealed: SealedList) -> DrawInputs:
    """Return what the next draw of a sealed raffle is computed from."""
    prizes = find_prizes_to_draw(raffle)
    states: Sequence[SourceState] = ()
    stubs: Sequence[SourceReading] = ()
    key_string = ""
    if raffle.draw_method == DrawMethod.RECORDED_DRUM:
        stubs = _load_stubs(raffle)
        confirmed = {stub.prize_id for stub in stubs if stub.counts}
        missing = [prize.title for prize in prizes if prize.pk not in confirmed]
    else:
        states = source_readings.load_source_states(raffle, sealed)
        needed = states
        if raffle.draw_method == DrawMethod.LOTTERY_DIGITS:
            places = {prize.position for prize in prizes}
            needed = [state for state in states if state.source.position in places]
        missing = [state.source.name for state in needed if not state.is_ready]
        if not missing and raffle.draw_method == DrawMethod.PUBLIC_VALUE:
            key_string = _build_key_string(states)
    return DrawInputs(
        list_hash=sealed.sha256,
        count=sealed.count,
        states=states,
        stubs=stubs,
        prizes=prizes,
        missing=missing,
        key_string=key_string,
    )


def find_prizes_to_draw(raffle: Raffle) -> list[Prize]:
    """Return the prizes without a result, or whose latest one comes from values that are void."""
    void = set(
        SourceReading.objects.filter(raffle=raffle, void_of_draw=True).values_list("pk", flat=True)
    )
    valid = {
        result.prize_id
        for result in load_latest_results(raffle.pk)
        if void.isdisjoint(result.how["readings"])
    }
    return [prize for prize in Prize.objects.filter(raffle=raffle) if prize.pk not in valid]


def load_latest_results(raffle_id: int) -> list[DrawResult]:
    """Return the latest result of each prize that was drawn, in the order of the prizes."""
    results = DrawResult.objects.filter(raffle_id=raffle_id).select_related("prize")
    latest = {result.prize_id: result for result in results.order_by("prize", "attempt")}
    return sorted(latest.values(), key=lambda result: result.prize.position)


@transaction.atomic(durable=True)
def draw(raffle_id: int, *, fingerprint: str, by: Actor, now: datetime) -> Drawn:
    """Draw all prizes that are not drawn; a second call draws nothing.

    Args:
        raffle_id: primary key of a sealed raffle.
        fingerprint: of the inputs that were shown; see `DrawInputs.fingerprint`.
        by: the author.
        now: the present time.

    Raises:
        RaffleNotFound: there is no such raffle.
        RaffleNotSealed: it is not sealed.
        InputsMissing: some values are not entered and confirmed yet.
        InputsChanged: they are not those that were shown.
        PoolExhausted: fewer numbers were sold than there are prizes.

    """
    raffle, sealed = source_readings.lock_sealed_raffle(raffle_id)
    inputs = load_inputs(raffle, sealed)
    if not inputs.prizes:
        return Drawn(load_latest_results(raffle_id), repeated=True)
    if inputs.missing:
        raise InputsMissing(missing=inputs.missing)
    if fingerprint != inputs.fingerprint:
        raise InputsChanged
    again = raffle.status == RaffleStatus.DRAWN
    pool = receipt_lines.read_list(bytes(sealed.numbers))
    results = [
        _select(
            raffle,
            prize,
            pool=pool,
            inputs=inputs,
            reason=RedrawReason.SOURCE_VOID if again else "",
            comment="",
            by=by,
            now=now,
        )
        for prize in inputs.prizes
    ]
    if again:
        _record_redraw(raffle, results, by=by, now=now)
    else:
        raffle_history.change_status(
            raffle, to=RaffleStatus.DRAWN, action=RaffleAction.DRAWN, by=by, now=now
        )
    return Drawn(results, repeated=False)


@transaction.atomic(durable=True)
def redraw(
    result_id: int, *, reason: RedrawReason, comment: str, by: Actor, now: datetime
) -> DrawResult:
    """Draw a prize again: the next selection of the same list and values.

    Args:
        result_id: primary key of the prize's latest result.
        reason: why; `SOURCE_VOID` is not one that a person gives.
        comment: what happened; public.
        by: the author.
        now: the present time.

    Returns:
        The new result.

    Raises:
        PrizeNotFound: there is no such result.
        ResultReplaced: the prize was drawn again since.
        PrizeClaimed: the prize was claimed.
        RedrawTooEarly: it counts as unclaimed only later.
        NoteMissing, NoteTooLong: the comment is empty or too long.
        InputsMissing: its values are void, or no stub was entered for it.
        PoolExhausted: all numbers were drawn.

    """
    cleaned = clean_note(comment, required=True)
    former = DrawResult.objects.filter(pk=result_id).select_related("prize").first()
    if former is None:
        raise PrizeNotFound
    raffle, sealed = source_readings.lock_sealed_raffle(former.raffle_id)
    refuse_if_replaced(former)
    source_readings.refuse_if_claimed(former)
    if reason is RedrawReason.UNCLAIMED:
        until = compute_claim_deadline(former)
        if now < until:
            raise RedrawTooEarly(until=until)
    inputs = load_inputs(raffle, sealed)
    if former.prize in inputs.prizes or reason is RedrawReason.SOURCE_VOID:
        raise InputsMissing(missing=[former.prize.title])
    result = _select(
        raffle,
        former.prize,
        pool=receipt_lines.read_list(bytes(sealed.numbers)),
        inputs=inputs,
        reason=reason,
        comment=cleaned,
        by=by,
        now=now,
    )
    _record_redraw(raffle, [result], by=by, now=now)
    return result


def refuse_if_replaced(result: DrawResult) -> None:
    """Check that a result is the latest one of its prize.

    Raises:
        ResultReplaced: it is not.

    """
    if DrawResult.objects.filter(prize_id=result.prize_id, attempt__gt=result.attempt).exists():
        raise ResultReplaced


def compute_claim_deadline(result: DrawResult) -> datetime:
    """Return until when the prize of a result can be claimed."""
    rules = draw_rules.load_frozen_rules(result.raffle_id)
    return result.at + timedelta(days=rules.claim_days)


def _select(
    raffle: Raffle,
    prize: Prize,
    *,
    pool: Sequence[str],
    inputs: DrawInputs,
    reason: RedrawReason | str,
    comment: str,
    by: Actor,
    now: datetime,
) -> DrawResult:
    generation = source_readings.count_void_inputs(raffle.pk)
    before = list(DrawResult.objects.filter(raffle=raffle, inputs=generation))
    selected, how = _compute(raffle, prize, pool=pool, inputs=inputs, before=before)
    return DrawResult.objects.create(
        raffle=raffle,
        prize=prize,
        attempt=DrawResult.objects.filter(prize=prize).count() + 1,
        inputs=generation,
        selection=len(before),
        number=int(selected.ticket),
        how=how,
        reason=reason,
        comment=comment,
        at=now,
        by_kind=by.kind,
        by_id=by.id,
        by_label=by.label,
    )


def _compute(
    raffle: Raffle,
    prize: Prize,
    *,
    pool: Sequence[str],
    inputs: DrawInputs,
    before: Sequence[DrawResult],
) -> tuple[draw_methods.Selection, dict[str, Any]]:
    """Return the next selection for a prize, and what it was computed from."""
    match DrawMethod(raffle.draw_method):
        case DrawMethod.PUBLIC_VALUE:
            return _compute_public_value(raffle, pool=pool, inputs=inputs, before=before)
        case DrawMethod.LOTTERY_DIGITS:
            return _compute_lottery_digits(raffle, prize, pool=pool, inputs=inputs)
        case DrawMethod.RECORDED_DRUM:
            return _compute_drum(prize, pool=pool, inputs=inputs)


def _compute_public_value(
    raffle: Raffle, *, pool: Sequence[str], inputs: DrawInputs, before: Sequence[DrawResult]
) -> tuple[draw_methods.Selection, dict[str, Any]]:
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


def _compute_lottery_digits(
    raffle: Raffle, prize: Prize, *, pool: Sequence[str], inputs: DrawInputs
) -> tuple[draw_methods.Selection, dict[str, Any]]:
    """Return the ticket of the last digits, or the next sold one that has not been selected."""
    reading = next(
        state.reading for state in inputs.states if state.source.position == prize.position
    )
    if reading is None or not reading.counts:
        raise InputsMissing(missing=[prize.title])
    digits = draw_methods.take_last_digits(reading.values[0], width=raffle.width)
    void = set(
        SourceReading.objects.filter(raffle=raffle, void_of_draw=True).values_list("pk", flat=True)
    )
    chosen = {
        raffle.format_ticket_number(result.number): result
        for result in DrawResult.objects.filter(raffle=raffle)
        if void.isdisjoint(result.how["readings"])
    }
    own = [ticket for ticket, result in chosen.items() if result.prize_id == prize.pk]
    start = own[-1] if own else digits
    selected = draw_methods.select_next_sold(pool, start=start, excluded=chosen, after=bool(own))
    if selected is None:
        raise PoolExhausted
    return selected, {"readings": [reading.pk], "value": reading.values[0], "digits": digits}


def _compute_drum(
    prize: Prize, *, pool: Sequence[str], inputs: DrawInputs
) -> tuple[draw_methods.Selection, dict[str, Any]]:
    stub = next((stub for stub in inputs.stubs if stub.prize_id == prize.pk), None)
    if stub is None or not stub.counts:
        raise InputsMissing(missing=[prize.title])
    ticket = stub.values[0]
    return draw_methods.Selection(index=pool.index(ticket), ticket=ticket), {"readings": [stub.pk]}


def _load_stubs(raffle: Raffle) -> list[SourceReading]:
    """Return the stubs that were entered for the next attempt of each prize."""
    attempts = {result.prize_id: result.attempt for result in load_latest_results(raffle.pk)}
    stubs = SourceReading.objects.filter(raffle=raffle, prize__isnull=False, voided_at__isnull=True)
    return [stub for stub in stubs if stub.attempt == attempts.get(stub.prize_id or 0, 0) + 1]


def _build_key_string(states: Sequence[SourceState]) -> str:
    return draw_methods.build_key_string(
        [
            (SourceKind(state.source.kind), state.reading.values)
            for state in states
            if state.reading is not None
        ]
    )


def _record_redraw(
    raffle: Raffle, results: Sequence[DrawResult], *, by: Actor, now: datetime
) -> None:
    named = "; ".join(
        f"{result.prize.title}: {result.get_reason_display()}. {result.comment}".strip()
        for result in results
    )
    raffle_history.record_raffle_event(
        raffle,
        action=RaffleAction.REDRAWN,
        before=RaffleStatus(raffle.status),
        by=by,
        now=now,
        reason=named,
    )
