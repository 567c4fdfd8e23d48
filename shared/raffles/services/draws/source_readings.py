"""Values of public sources and stubs of a drum: entered by one person, confirmed by another.

Nobody chooses among values: each date of a source has one reading that counts, and another one
only after that was declared void, which the record shows. See `reading_rows` for what needs two
people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.files.base import File
from django.db import transaction

from shared.core.enums import (
    ActorKind,
    DrawMethod,
    SourceKind,
    VoidReason,
)
from shared.raffles import receipt_lines
from shared.raffles.actor import Actor
from shared.raffles.draws import draw_methods
from shared.raffles.draws.draw_errors import (
    PersonNeeded,
    StubNotSold,
    ValueExists,
    ValueInvalid,
    ValueNotDue,
    ValueNotFound,
    ValueVoided,
)
from shared.raffles.draws.draw_models import (
    DrawResult,
    DrawSource,
    Prize,
    SealedList,
    SourceReading,
)
from shared.raffles.models import Raffle
from shared.raffles.notes import clean_note
from shared.raffles.services.draws import (
    draw_rules,
    reading_rows,
    rule_checks,
    sealed_raffles,
    source_dates,
)


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source of a sealed raffle: the date that decides now, and its reading.

    Attributes:
        source: the source.
        date_index: index of the date that decides.
        at: that date.
        round_number: of drand: the round.
        reading: values of that date, confirmed or not; None: none were entered.
        earlier: its other readings: void, or of other dates.
        passed: those of them that count and left the decision to the next date, because their
            number was not sold.

    """

    source: DrawSource
    date_index: int
    at: datetime
    round_number: int | None
    reading: SourceReading | None
    earlier: Sequence[SourceReading]
    passed: Sequence[SourceReading] = ()

    @property
    def is_ready(self) -> bool:
        """Whether its values are entered and confirmed."""
        return self.reading is not None and self.reading.counts


def load_source_states(raffle: Raffle, sealed: SealedList) -> list[SourceState]:
    """Return the sources of a sealed raffle with the dates that decide now, in their order."""
    first_dates = {entry["position"]: entry["date_index"] for entry in sealed.sources}
    readings: dict[int | None, list[SourceReading]] = {}
    for reading in SourceReading.objects.filter(raffle=raffle, source__isnull=False).order_by("id"):
        readings.setdefault(reading.source_id, []).append(reading)
    pool = (
        receipt_lines.read_list(bytes(sealed.numbers))
        if readings and draw_rules.is_unsold_passed_on(raffle)
        else None
    )
    states = []
    for source in DrawSource.objects.filter(raffle=raffle):
        known = readings.get(source.pk, [])
        index, current, passed = _find_deciding_date(
            known, first=first_dates[source.position], width=raffle.width, pool=pool
        )
        at = source_dates.compute_date(source, raffle, sealed_at=sealed.sealed_at, index=index)
        drand = source.kind == SourceKind.DRAND
        states.append(
            SourceState(
                source=source,
                date_index=index,
                at=at,
                round_number=draw_methods.compute_drand_round(at) if drand else None,
                reading=current,
                earlier=[reading for reading in known if reading != current],
                passed=passed,
            )
        )
    return states


def _find_deciding_date(
    readings: Sequence[SourceReading], *, first: int, width: int, pool: Sequence[str] | None
) -> tuple[int, SourceReading | None, list[SourceReading]]:
    """Return the date of a source that decides, its values, and those that passed it on.

    A date passes the decision on if the source declared it void, or if its number was not sold and
    `pool`, the sealed list, says that this matters. Values that were misread leave the decision
    where it was, also those of a date after which another one had been entered.
    """
    index, passed = first, list[SourceReading]()
    while True:
        of_date = [reading for reading in readings if reading.date_index == index]
        current = next((reading for reading in of_date if reading.voided_at is None), None)
        if current is None:
            if not any(reading.void_reason == VoidReason.SOURCE_VOID for reading in of_date):
                return index, None, passed
        elif pool is None or not current.counts or _is_sold(current, width=width, pool=pool):
            return index, current, passed
        else:
            passed.append(current)
        index += 1


def _is_sold(reading: SourceReading, *, width: int, pool: Sequence[str]) -> bool:
    digits = draw_methods.take_last_digits(reading.values[0], width=width)
    return draw_methods.is_sold(pool, digits)


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
        LinkInvalid: the link is no web address, or is too long.

    """
    raffle, sealed = sealed_raffles.lock_sealed_raffle(raffle_id)
    state = _find_due_state(raffle, sealed, position=position, now=now)
    cleaned = [value.strip().lower() for value in values if value.strip()]
    problem = draw_methods.find_value_problem(rule_checks.build_shape(state.source), cleaned)
    if problem is not None:
        raise ValueInvalid(problem=problem)
    reading = _build_reading(raffle, state)
    reading.values, reading.link = cleaned, reading_rows.clean_evidence(link, photo)
    if state.reading is not None:
        reading_rows.end_proposed_skip(state.reading, by=by, now=now)
    return reading_rows.save_reading(reading, sealed, photo=photo, by=by, now=now)


def _find_due_state(
    raffle: Raffle, sealed: SealedList, *, position: int, now: datetime
) -> SourceState:
    """Return the state of a source whose date has come and has no values yet."""
    states = {state.source.position: state for state in load_source_states(raffle, sealed)}
    if position not in states:
        raise ValueNotFound
    state = states[position]
    if state.reading is not None and state.reading.values:
        raise ValueExists
    if now < state.at:
        raise ValueNotDue(at=state.at)
    return state


def _build_reading(raffle: Raffle, state: SourceState) -> SourceReading:
    return SourceReading(
        raffle=raffle,
        inputs=len(sealed_raffles.load_void_readings(raffle.pk)),
        source=state.source,
        date_index=state.date_index,
        at=state.at,
    )


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
        LinkInvalid: the link is no web address, or is too long.

    """
    raffle, sealed = sealed_raffles.lock_sealed_raffle(raffle_id)
    prize = Prize.objects.filter(raffle=raffle, position=prize_position).first()
    if prize is None or raffle.draw_method != DrawMethod.RECORDED_DRUM:
        raise ValueNotFound
    if raffle.draw_at is not None and now < raffle.draw_at:
        raise ValueNotDue(at=raffle.draw_at)
    latest = DrawResult.objects.filter(prize=prize).last()
    if latest is not None:
        sealed_raffles.refuse_if_claimed(latest)
    attempt = latest.attempt + 1 if latest is not None else 1
    stubs = SourceReading.objects.filter(raffle=raffle, voided_at__isnull=True)
    if stubs.filter(prize=prize, attempt=attempt).exists():
        raise ValueExists
    ticket = raffle.format_ticket_number(number)
    sold = draw_methods.is_sold(receipt_lines.read_list(bytes(sealed.numbers)), ticket)
    if not sold or stubs.filter(values=[ticket]).exists():
        raise StubNotSold(number=number)
    reading = SourceReading(
        raffle=raffle,
        inputs=len(sealed_raffles.load_void_readings(raffle_id)),
        prize=prize,
        attempt=attempt,
        values=[ticket],
        link=reading_rows.clean_evidence(link, photo),
    )
    return reading_rows.save_reading(reading, sealed, photo=photo, by=by, now=now)


@transaction.atomic(durable=True)
def confirm_reading(reading_id: int, *, by: Actor, now: datetime) -> SourceReading:
    """Confirm values as a second person who has looked at the source or was a witness.

    Confirming them again changes nothing. If one person wants to skip a date, it is skipped now.

    Raises:
        ValueNotFound: there are no such values.
        ValueVoided: they were declared void.
        SecondPersonNeeded: the same person entered them, a token of this person did, or a token
            confirms.

    """
    reading, sealed = _lock_reading(reading_id)
    if reading.confirmed_at is not None:
        return reading
    if reading.values:
        reading_rows.confirm_as_second(reading, by=by, now=now)
    else:
        _refuse_token(by)
        reading_rows.declare_void(
            reading, sealed, reason=VoidReason.SOURCE_VOID, comment="", by=by, now=now
        )
    return reading


@transaction.atomic(durable=True)
def void_reading(
    reading_id: int, *, reason: VoidReason, comment: str, by: Actor, now: datetime
) -> SourceReading:
    """Declare values void: they are kept, shown, and do not count.

    If its publisher declared the draw void, the source's next date decides. If the values were
    misread, those of the same date are entered again. Prizes that were drawn from them must be
    drawn again, so this is refused once one of them was claimed.

    If two people draw, the first one proposes it, and the values are void once another one
    declares the same; until then they count. Nobody can steer alone by declaring values void until
    others suit. What nobody confirmed yet may be called misread by one person.

    Args:
        reading_id: primary key of the values.
        reason: why they do not count.
        comment: what happened, and how it is known; public.
        by: the author; a person.
        now: the present time.

    Returns:
        The values; `is_void_proposed` if another person has to declare the same.

    Raises:
        ValueNotFound: there are no such values.
        ValueVoided: they were declared void before.
        NoteMissing, NoteTooLong: the comment is empty or too long.
        PersonNeeded: a token asks.
        SecondPersonNeeded: the same person proposed it before.
        PrizeClaimed: a prize drawn from them was claimed.

    """
    cleaned = clean_note(comment, required=True)
    reading, sealed = _lock_reading(reading_id)
    _refuse_token(by)
    reading_rows.declare_void(reading, sealed, reason=reason, comment=cleaned, by=by, now=now)
    return reading


@transaction.atomic(durable=True)
def skip_date(
    raffle_id: int, *, position: int, comment: str, by: Actor, now: datetime, link: str = ""
) -> SourceReading:
    """Record that a source published nothing at its date, so that its next date decides.

    If two people draw, the first one proposes it; another one skips the date as well, or confirms
    the proposal. Values that are entered meanwhile end it.

    Args:
        raffle_id: primary key of a sealed raffle.
        position: of the source, from 1.
        comment: what happened, and how it is known; public.
        by: the author; a person.
        now: the present time.
        link: address of a page that shows it.

    Returns:
        A reading without values; `is_void_proposed` if another person has to skip it, too.

    Raises:
        RaffleNotFound, RaffleNotSealed, ValueNotFound, ValueNotDue, ValueExists, LinkInvalid: as
            in `enter_values`.
        PersonNeeded: a token asks.
        SecondPersonNeeded: the same person proposed it before.
        NoteMissing, NoteTooLong: the comment is empty or too long.

    """
    cleaned = clean_note(comment, required=True)
    raffle, sealed = sealed_raffles.lock_sealed_raffle(raffle_id)
    _refuse_token(by)
    state = _find_due_state(raffle, sealed, position=position, now=now)
    reading = state.reading
    if reading is None:
        reading = _build_reading(raffle, state)
        reading.link = reading_rows.clean_link(link)
        reading.entered_kind, reading.entered_id, reading.entered_by = by.kind, by.id, by.label
        reading.entered_at = now
    reading_rows.declare_void(
        reading, sealed, reason=VoidReason.SOURCE_VOID, comment=cleaned, by=by, now=now
    )
    return reading


def _lock_reading(reading_id: int) -> tuple[SourceReading, SealedList]:
    """Lock the raffle of values that are not void, and return both."""
    reading = SourceReading.objects.filter(pk=reading_id).first()
    if reading is None:
        raise ValueNotFound
    raffle, sealed = sealed_raffles.lock_sealed_raffle(reading.raffle_id)
    reading.refresh_from_db()
    if reading.voided_at is not None:
        raise ValueVoided
    reading.raffle = raffle
    return reading, sealed


def _refuse_token(by: Actor) -> None:
    if by.kind is not ActorKind.STAFF:
        raise PersonNeeded
