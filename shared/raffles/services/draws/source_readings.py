"""Values of public sources and stubs of a drum: entered by one person, confirmed by another.

Nobody chooses among values: each date of a source has one reading that counts, and another one
only after that was declared void, which the record shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.core.files.base import File
from django.db import transaction

from shared.core.enums import (
    ActorKind,
    DrawMethod,
    RaffleAction,
    RaffleStatus,
    SourceKind,
    UnsoldRule,
    VoidReason,
)
from shared.raffles import draw_methods, receipt_lines
from shared.raffles.actor import Actor
from shared.raffles.draw_errors import (
    EvidenceMissing,
    PrizeClaimed,
    RaffleNotSealed,
    SecondPersonNeeded,
    StubNotSold,
    ValueExists,
    ValueInvalid,
    ValueNotDue,
    ValueNotFound,
    ValueVoided,
)
from shared.raffles.draw_models import (
    DrawResult,
    DrawSource,
    Prize,
    PrizeClaim,
    SealedList,
    SourceReading,
)
from shared.raffles.models import Raffle
from shared.raffles.notes import clean_note
from shared.raffles.services import locks, raffle_history
from shared.raffles.services.draws import draw_rules, rule_checks, source_dates

MAX_VALUE_LENGTH: Final = 80
"""Characters of a value: drand's has 64."""


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source of a sealed raffle: the date that decides now, and its reading.

    Attributes:
        source: the source.
        date_index: index of the date that decides.
        at: that date.
        round_number: of drand: the round.
        reading: values of that date, confirmed or not; None: none were entered.
        earlier: readings of it that do not count: void, or a number that was not sold.

    """

    source: DrawSource
    date_index: int
    at: datetime
    round_number: int | None
    reading: SourceReading | None
    earlier: Sequence[SourceReading]

    @property
    def is_ready(self) -> bool:
        """Whether its values are entered and confirmed."""
        return self.reading is not None and self.reading.counts


def count_void_inputs(raffle_id: int) -> int:
    """Return how often values were declared void after a prize had been drawn from them."""
    return SourceReading.objects.filter(raffle_id=raffle_id, void_of_draw=True).count()


def load_source_states(raffle: Raffle, sealed: SealedList) -> list[SourceState]:
    """Return the sources of a sealed raffle with the dates that decide now, in their order."""
    first_dates = {entry["position"]: entry["date_index"] for entry in sealed.sources}
    readings: dict[int | None, list[SourceReading]] = {}
    for reading in SourceReading.objects.filter(raffle=raffle, source__isnull=False).order_by("id"):
        readings.setdefault(reading.source_id, []).append(reading)
    passes_on = _passes_unsold_on(raffle)
    sold = frozenset(receipt_lines.read_list(bytes(sealed.numbers))) if passes_on else frozenset()
    states = []
    for source in DrawSource.objects.filter(raffle=raffle):
        index = first_dates[source.position]
        earlier: list[SourceReading] = []
        current: SourceReading | None = None
        for reading in readings.get(source.pk, []):
            if reading.voided_at is not None:
                earlier.append(reading)
                if reading.void_reason == VoidReason.SOURCE_VOID:
                    index = reading.date_index + 1
            elif reading.counts and passes_on and _read_digits(raffle, reading) not in sold:
                earlier.append(reading)
                index = reading.date_index + 1
            else:
                current = reading
        at = source_dates.compute_date(source, raffle, sealed_at=sealed.sealed_at, index=index)
        drand = source.kind == SourceKind.DRAND
        states.append(
            SourceState(
                source=source,
                date_index=index,
                at=at,
                round_number=draw_methods.compute_drand_round(at) if drand else None,
                reading=current,
                earlier=earlier,
            )
        )
    return states


def _passes_unsold_on(raffle: Raffle) -> bool:
    """Whether a number that was not sold leaves the decision to the source's next date."""
    if raffle.draw_method != DrawMethod.LOTTERY_DIGITS:
        return False
    rules = draw_rules.load_frozen_rules(raffle.pk)
    return rules.unsold_rule == UnsoldRule.NEXT_SOURCE_DATE


def _read_digits(raffle: Raffle, reading: SourceReading) -> str:
    return draw_methods.take_last_digits(reading.values[0], width=raffle.width)


@transaction.atomic(durable=True)
def enter_values(
    raffle_id: int,
    *,
    position: int,
    values: Sequence[str],
    by: Actor,
    now: datetime,
    link: str = "",
    photo: "File[bytes] | None" = None,
) -> SourceReading:
    """Enter the values that a source published; if one person draws, they count at once.

    Args:
        raffle_id: primary key of a sealed raffle.
        position: of the source, from 1.
        values: as published, in any order; white space around them is ignored.
        by: the author.
        now: the present time.
        link: address of a page or video that shows them.
        photo: a picture that shows them.

    Raises:
        RaffleNotFound: there is no such raffle.
        RaffleNotSealed: it is not sealed.
        ValueNotFound: it has no such source.
        ValueNotDue: the source's date has not come.
        ValueExists: values of that date were entered before.
        ValueInvalid: they cannot be a result of the source.
        EvidenceMissing: neither a link nor a photo shows them.

    """
    raffle, sealed = lock_sealed_raffle(raffle_id)
    states = {state.source.position: state for state in load_source_states(raffle, sealed)}
    if position not in states:
        raise ValueNotFound
    state = states[position]
    if state.reading is not None:
        raise ValueExists
    if now < state.at:
        raise ValueNotDue(at=state.at)
    cleaned = [value.strip().lower()[:MAX_VALUE_LENGTH] for value in values if value.strip()]
    problem = draw_methods.find_value_problem(rule_checks.build_shape(state.source), cleaned)
    if problem is not None:
        raise ValueInvalid(problem=problem)
    _refuse_without_evidence(link, photo)
    reading = SourceReading(
        raffle=raffle,
        inputs=count_void_inputs(raffle_id),
        source=state.source,
        date_index=state.date_index,
        at=state.at,
        values=cleaned,
        link=link.strip(),
    )
    return _save_reading(reading, sealed, photo=photo, by=by, now=now)


@transaction.atomic(durable=True)
def enter_stub(
    raffle_id: int,
    *,
    prize_position: int,
    number: int,
    by: Actor,
    now: datetime,
    link: str = "",
    photo: "File[bytes] | None" = None,
) -> SourceReading:
    """Enter the ticket number of the stub that came out of the drum for a prize.

    Args:
        raffle_id: primary key of a raffle that is sealed, or drawn with a prize to draw again.
        prize_position: of the prize, from 1.
        number: the ticket number.
        by: the author.
        now: the present time.
        link: address of the recording.
        photo: a picture of the stub.

    Raises:
        RaffleNotFound, RaffleNotSealed: as in `enter_values`.
        ValueNotFound: it has no such prize, or is not drawn by a drum.
        ValueNotDue: the time of the draw has not come.
        ValueExists: a stub was entered for this attempt before.
        StubNotSold: the number is not on the list, or has won already.
        PrizeClaimed: the prize was claimed.
        EvidenceMissing: neither a link nor a photo shows it.

    """
    raffle, sealed = lock_sealed_raffle(raffle_id)
    prize = Prize.objects.filter(raffle=raffle, position=prize_position).first()
    if prize is None or raffle.draw_method != DrawMethod.RECORDED_DRUM:
        raise ValueNotFound
    if raffle.draw_at is not None and now < raffle.draw_at:
        raise ValueNotDue(at=raffle.draw_at)
    latest = DrawResult.objects.filter(prize=prize).last()
    if latest is not None:
        refuse_if_claimed(latest)
    attempt = latest.attempt + 1 if latest is not None else 1
    stubs = SourceReading.objects.filter(raffle=raffle, voided_at__isnull=True)
    if stubs.filter(prize=prize, attempt=attempt).exists():
        raise ValueExists
    ticket = raffle.format_ticket_number(number)
    if ticket not in receipt_lines.read_list(bytes(sealed.numbers)):
        raise StubNotSold(number=number)
    if stubs.filter(values=[ticket]).exists():
        raise StubNotSold(number=number)
    _refuse_without_evidence(link, photo)
    reading = SourceReading(
        raffle=raffle,
        inputs=count_void_inputs(raffle_id),
        prize=prize,
        attempt=attempt,
        values=[ticket],
        link=link.strip(),
    )
    return _save_reading(reading, sealed, photo=photo, by=by, now=now)


@transaction.atomic(durable=True)
def confirm_reading(reading_id: int, *, by: Actor, now: datetime) -> SourceReading:
    """Confirm values as a second person who has looked at the source or was a witness.

    Confirming them again changes nothing.

    Raises:
        ValueNotFound: there are no such values.
        ValueVoided: they were declared void.
        SecondPersonNeeded: the same person entered them, or a token confirms.

    """
    reading = SourceReading.objects.filter(pk=reading_id).first()
    if reading is None:
        raise ValueNotFound
    raffle, _ = lock_sealed_raffle(reading.raffle_id)
    reading.refresh_from_db()
    if reading.voided_at is not None:
        raise ValueVoided
    if reading.confirmed_at is not None:
        return reading
    same_person = (by.kind, by.id) == (reading.entered_kind, reading.entered_id)
    if by.kind is not ActorKind.STAFF or same_person:
        raise SecondPersonNeeded
    _stamp_confirmation(reading, by=by, now=now)
    _record(raffle, RaffleAction.VALUE_CONFIRMED, reading, by=by, now=now)
    return reading


@transaction.atomic(durable=True)
def void_reading(
    reading_id: int, *, reason: VoidReason, comment: str, by: Actor, now: datetime
) -> SourceReading:
    """Declare values void: they are kept, shown, and do not count.

    If its publisher declared the draw void, the source's next date decides. If the values were
    misread, those of the same date are entered again. Prizes that were drawn from them must be
    drawn again, so this is refused once one of them was claimed.

    Args:
        reading_id: primary key of the values.
        reason: why they do not count.
        comment: what happened, and how it is known; public.
        by: the author; a person.
        now: the present time.

    Raises:
        ValueNotFound: there are no such values.
        ValueVoided: they were declared void before.
        NoteMissing, NoteTooLong: the comment is empty or too long.
        SecondPersonNeeded: a token asks.
        PrizeClaimed: a prize drawn from them was claimed.

    """
    cleaned = clean_note(comment, required=True)
    reading = SourceReading.objects.filter(pk=reading_id).first()
    if reading is None:
        raise ValueNotFound
    raffle, _ = lock_sealed_raffle(reading.raffle_id)
    reading.refresh_from_db()
    if by.kind is not ActorKind.STAFF:
        raise SecondPersonNeeded
    if reading.voided_at is not None:
        raise ValueVoided
    results = [
        result
        for result in DrawResult.objects.filter(raffle=raffle)
        if reading.pk in result.how["readings"]
    ]
    for result in results:
        refuse_if_claimed(result)
    reading.void_reason, reading.void_comment = reason, cleaned
    reading.voided_by, reading.voided_at = by.label, now
    reading.void_of_draw = bool(results)
    reading.save()
    _record(raffle, RaffleAction.VALUE_VOIDED, reading, by=by, now=now, reason=cleaned)
    return reading


@transaction.atomic(durable=True)
def skip_date(
    raffle_id: int, *, position: int, comment: str, by: Actor, now: datetime, link: str = ""
) -> SourceReading:
    """Record that a source published nothing at its date, so that its next date decides.

    Args:
        raffle_id: primary key of a sealed raffle.
        position: of the source, from 1.
        comment: what happened, and how it is known; public.
        by: the author; a person.
        now: the present time.
        link: address of a page that shows it.

    Raises:
        RaffleNotFound, RaffleNotSealed, ValueNotFound, ValueNotDue, ValueExists: as in
            `enter_values`.
        SecondPersonNeeded: a token asks.
        NoteMissing, NoteTooLong: the comment is empty or too long.

    """
    cleaned = clean_note(comment, required=True)
    raffle, sealed = lock_sealed_raffle(raffle_id)
    if by.kind is not ActorKind.STAFF:
        raise SecondPersonNeeded
    states = {state.source.position: state for state in load_source_states(raffle, sealed)}
    if position not in states:
        raise ValueNotFound
    state = states[position]
    if state.reading is not None:
        raise ValueExists
    if now < state.at:
        raise ValueNotDue(at=state.at)
    reading = SourceReading.objects.create(
        raffle=raffle,
        inputs=count_void_inputs(raffle_id),
        source=state.source,
        date_index=state.date_index,
        at=state.at,
        link=link.strip(),
        entered_kind=by.kind,
        entered_id=by.id,
        entered_by=by.label,
        entered_at=now,
        void_reason=VoidReason.SOURCE_VOID,
        void_comment=cleaned,
        voided_by=by.label,
        voided_at=now,
    )
    _record(raffle, RaffleAction.VALUE_VOIDED, reading, by=by, now=now, reason=cleaned)
    return reading


def refuse_if_claimed(result: DrawResult) -> None:
    """Check that the prize of a result was not claimed.

    Raises:
        PrizeClaimed: it was; author and time are in the details.

    """
    claim = PrizeClaim.objects.filter(result=result, claimed_at__isnull=False).first()
    if claim is not None and claim.claimed_at is not None:
        raise PrizeClaimed(by=claim.claimed_by, at=claim.claimed_at)


def _refuse_without_evidence(link: str, photo: "File[bytes] | None") -> None:
    if not link.strip() and photo is None:
        raise EvidenceMissing


def lock_sealed_raffle(raffle_id: int) -> tuple[Raffle, SealedList]:
    """Lock a raffle exclusively, and return it with its sealed list.

    Raises:
        RaffleNotFound: there is no such raffle.
        RaffleNotSealed: it is not sealed.

    """
    raffle = locks.lock_raffle(raffle_id)
    sealed = SealedList.objects.filter(raffle=raffle).first()
    if sealed is None:
        raise RaffleNotSealed
    return raffle, sealed


def _save_reading(
    reading: SourceReading,
    sealed: SealedList,
    *,
    photo: "File[bytes] | None",
    by: Actor,
    now: datetime,
) -> SourceReading:
    reading.entered_kind, reading.entered_id, reading.entered_by = by.kind, by.id, by.label
    reading.entered_at = now
    if not sealed.two_people:
        _set_confirmation(reading, by=by, now=now)
    if photo is not None:
        reading.photo.save(photo.name or "photo", photo, save=False)
    reading.save()
    _record(reading.raffle, RaffleAction.VALUE_ENTERED, reading, by=by, now=now)
    return reading


def _set_confirmation(reading: SourceReading, *, by: Actor, now: datetime) -> None:
    reading.confirmed_kind, reading.confirmed_id = by.kind, by.id
    reading.confirmed_by, reading.confirmed_at = by.label, now


def _stamp_confirmation(reading: SourceReading, *, by: Actor, now: datetime) -> None:
    _set_confirmation(reading, by=by, now=now)
    reading.save(update_fields=["confirmed_kind", "confirmed_id", "confirmed_by", "confirmed_at"])


def _record(
    raffle: Raffle,
    action: RaffleAction,
    reading: SourceReading,
    *,
    by: Actor,
    now: datetime,
    reason: str = "",
) -> None:
    name = reading.source.name if reading.source is not None else str(reading.prize)
    values = " ".join(reading.values)
    raffle_history.record_raffle_event(
        raffle,
        action=action,
        before=RaffleStatus(raffle.status),
        by=by,
        now=now,
        reason=f"{name}: {values}. {reason}".strip() if values else f"{name}. {reason}".strip(),
    )
