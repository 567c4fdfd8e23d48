"""Drawing: one irrevocable step from sealed list and confirmed values to the results.

A prize that is drawn again gets the next selection of the same list and values. New values decide
only if the former ones were declared void.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from shared.core.enums import (
    ActorKind,
    DrawMethod,
    RaffleAction,
    RaffleStatus,
    RedrawReason,
    SourceKind,
)
from shared.raffles import receipt_lines
from shared.raffles.actor import Actor
from shared.raffles.draws import draw_methods
from shared.raffles.draws.draw_errors import (
    AnotherPersonNeeded,
    InputsChanged,
    InputsMissing,
    PersonNeeded,
    PrizeNotFound,
    RedrawTooEarly,
    ResultReplaced,
    ResultVoid,
)
from shared.raffles.draws.draw_models import DrawResult, Prize, SealedList, SourceReading
from shared.raffles.models import Raffle
from shared.raffles.notes import clean_note
from shared.raffles.services import raffle_history
from shared.raffles.services.draws import (
    claim_deadlines,
    sealed_raffles,
    selections,
    source_readings,
)
from shared.raffles.services.draws.selections import SelectionInputs
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
        """A hash that changes with any input; a form sends what it showed.

        So whoever draws has also seen that somebody wants to declare values void.
        """
        readings = [reading for state in self.states for reading in (*state.passed, state.reading)]
        parts = [
            self.list_hash,
            [
                (reading.pk, reading.counts, reading.is_void_proposed)
                for reading in (*readings, *self.stubs)
                if reading is not None
            ],
            [prize.pk for prize in self.prizes],
        ]
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
    void = sealed_raffles.load_void_readings(raffle.pk)
    drawn = {
        result.prize_id
        for result in load_latest_results(raffle.pk)
        if not is_void(result, void=void)
    }
    return [prize for prize in Prize.objects.filter(raffle=raffle) if prize.pk not in drawn]


def load_latest_results(raffle_id: int) -> list[DrawResult]:
    """Return the latest result of each prize that was drawn, in the order of the prizes."""
    results = DrawResult.objects.filter(raffle_id=raffle_id).select_related("prize", "raffle")
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
    raffle, sealed = sealed_raffles.lock_sealed_raffle(raffle_id)
    inputs = load_inputs(raffle, sealed)
    if not inputs.prizes:
        return Drawn(load_latest_results(raffle_id), repeated=True)
    if inputs.missing:
        raise InputsMissing(missing=inputs.missing)
    if fingerprint != inputs.fingerprint:
        raise InputsChanged
    pool = receipt_lines.read_list(bytes(sealed.numbers))
    comments = _load_void_comments(raffle_id)
    results = [
        _select(
            raffle,
            prize,
            pool=pool,
            inputs=inputs,
            reason=RedrawReason.SOURCE_VOID if prize.pk in comments else "",
            comment=comments.get(prize.pk, ""),
            by=by,
            now=now,
        )
        for prize in inputs.prizes
    ]
    if raffle.status == RaffleStatus.DRAWN:
        _record_redraw(raffle, results, by=by, now=now)
    else:
        raffle_history.change_status(
            raffle, to=RaffleStatus.DRAWN, action=RaffleAction.DRAWN, by=by, now=now
        )
    return Drawn(results, repeated=False)


def _load_void_comments(raffle_id: int) -> dict[int, str]:
    """Return why the latest result of each prize does not count, if its values are void."""
    void = SourceReading.objects.filter(raffle_id=raffle_id, void_of_draw=True)
    comments = dict(void.values_list("pk", "void_comment"))
    return {
        result.prize_id: "\n".join(
            comments[reading] for reading in result.how["readings"] if reading in comments
        )
        for result in load_latest_results(raffle_id)
        if is_void(result, void=comments)
    }


@transaction.atomic(durable=True)
def redraw(
    result_id: int, *, reason: RedrawReason, comment: str, by: Actor, now: datetime
) -> DrawResult:
    """Draw a prize again: the next selection of the same list and values.

    Nobody chooses: the same call always gives the same number. If two people draw, it is another
    one than who drew the prize before, so that nobody goes down the list alone until it suits.

    Args:
        result_id: primary key of the prize's latest result.
        reason: why; `SOURCE_VOID` is not one that a person gives. A winner who is silent or
            cannot be reached may claim the prize until the deadline.
        comment: what happened; public.
        by: the author.
        now: the present time.

    Returns:
        The new result.

    Raises:
        PersonNeeded: a token asks.
        PrizeNotFound: there is no such result.
        ResultReplaced: the prize was drawn again since.
        ResultVoid: its values do not count; `draw` draws it anew.
        PrizeClaimed: the prize was claimed.
        AnotherPersonNeeded: two people draw, and this one drew it before.
        RedrawTooEarly: it counts as unclaimed only later.
        NoteMissing, NoteTooLong: the comment is empty or too long.
        InputsMissing: no stub was entered for it, or the reason is `SOURCE_VOID`.
        PoolExhausted: all numbers were drawn.

    """
    cleaned = clean_note(comment, required=True)
    former = DrawResult.objects.filter(pk=result_id).select_related("prize", "raffle").first()
    if former is None:
        raise PrizeNotFound
    if by.kind is not ActorKind.STAFF:
        raise PersonNeeded
    raffle, sealed = sealed_raffles.lock_sealed_raffle(former.raffle_id)
    refuse_if_replaced(former)
    refuse_if_void(former)
    sealed_raffles.refuse_if_claimed(former)
    if sealed.two_people and (former.by_kind, former.by_id) == (by.kind, by.id):
        raise AnotherPersonNeeded
    if reason in {RedrawReason.UNCLAIMED, RedrawReason.UNREACHABLE}:
        until = claim_deadlines.compute_claim_deadline(former)
        if now <= until:
            raise RedrawTooEarly(until=until)
    if reason is RedrawReason.SOURCE_VOID:
        raise InputsMissing(missing=[former.prize.title])
    inputs = load_inputs(raffle, sealed)
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


def refuse_if_void(result: DrawResult) -> None:
    """Check that a result was drawn from values that count.

    Raises:
        ResultVoid: it was not.

    """
    if is_void(result, void=sealed_raffles.load_void_readings(result.raffle_id)):
        raise ResultVoid


def is_void(result: DrawResult, *, void: Collection[int]) -> bool:
    """Whether a result was drawn from values that count no more.

    Args:
        result: the result.
        void: ids of such values; see `sealed_raffles.load_void_readings`.

    """
    return not frozenset(void).isdisjoint(result.how["readings"])


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
    void = sealed_raffles.load_void_readings(raffle.pk)
    results = list(DrawResult.objects.filter(raffle=raffle))
    before = [result for result in results if result.inputs == len(void)]
    selected, how = selections.select_ticket(
        raffle,
        prize,
        SelectionInputs(
            pool=pool,
            states=inputs.states,
            stubs=inputs.stubs,
            key_string=inputs.key_string,
            before=before,
            valid=[result for result in results if not is_void(result, void=void)],
        ),
    )
    return DrawResult.objects.create(
        raffle=raffle,
        prize=prize,
        attempt=sum(result.prize_id == prize.pk for result in results) + 1,
        inputs=len(void),
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
