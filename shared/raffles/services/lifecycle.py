"""Changes of a raffle itself: its status and its draw date, each in a transaction of its own.

Each locks the raffle exclusively and nothing else, so that no order changes at the same moment,
and adds an entry to the raffle's history.
"""

from datetime import datetime
from typing import Final

from django.db import transaction

from shared.core import config
from shared.core.enums import RaffleAction, RaffleStatus
from shared.core.errors import DomainError
from shared.raffles import sale_rules
from shared.raffles.actor import Actor
from shared.raffles.draws.draw_errors import LegalDetailsMissing, RulesInvalid, SourceDateNamed
from shared.raffles.draws.draw_models import DrawSource
from shared.raffles.errors import (
    DrawDateMissing,
    DrawDateNotAhead,
    DrawDatePassed,
    NumbersMissing,
    SalesEndNotAhead,
    TimeZoneNotConfirmed,
    TransitionNotAllowed,
)
from shared.raffles.models import Raffle
from shared.raffles.notes import clean_note
from shared.raffles.services import locks, raffle_history
from shared.raffles.services.draws import draw_rules
from shared.raffles.services.ticket_numbers import number_generation


@transaction.atomic(durable=True)
def open_raffle(raffle_id: int, *, by: Actor, now: datetime) -> Raffle:
    """Start the sale of a raffle, or resume it after a pause.

    If nobody has chosen how it is drawn, the default rules are written, so that buyers read them.

    Args:
        raffle_id: primary key of the raffle.
        by: the author of the change.
        now: time of the change.

    Raises:
        RaffleNotFound: there is no such raffle.
        TransitionNotAllowed: it is neither a draft nor paused.
        NumbersMissing: not all its ticket numbers exist.
        TimeZoneNotConfirmed: nobody has chosen its time zone.
        DrawDateMissing: it has no draw date and is not drawn when sold out.
        DrawDateNotAhead, SalesEndNotAhead: its draw or the end of its sale is not in the future.
        LegalDetailsMissing: a setting asks for details that are empty.
        RulesInvalid: the rules of its draw do not fit it any more.

    """
    raffle = raffle_history.lock_raffle_for(raffle_id, wanted=RaffleStatus.OPEN)
    existing = number_generation.count_numbers_in_range(
        raffle_id, first=raffle.first_number, last=raffle.last_number
    )
    if existing < raffle.number_count:
        raise NumbersMissing(missing=raffle.number_count - existing)
    _refuse_incomplete_dates(raffle, now=now)
    _refuse_missing_legal_details(raffle)
    _prepare_rules(raffle)
    return raffle_history.change_status(
        raffle, to=RaffleStatus.OPEN, action=RaffleAction.OPENED, by=by, now=now
    )


@transaction.atomic(durable=True)
def pause(raffle_id: int, *, by: Actor, now: datetime) -> Raffle:
    """Pause the sale of a raffle; orders that hold ticket numbers can still be paid.

    Args:
        raffle_id: primary key of the raffle.
        by: the author of the change.
        now: time of the change.

    Raises:
        RaffleNotFound: there is no such raffle.
        TransitionNotAllowed: it is not open.

    """
    raffle = raffle_history.lock_raffle_for(raffle_id, wanted=RaffleStatus.PAUSED)
    return raffle_history.change_status(
        raffle, to=RaffleStatus.PAUSED, action=RaffleAction.PAUSED, by=by, now=now
    )


@transaction.atomic(durable=True)
def close(raffle_id: int, *, by: Actor, now: datetime) -> Raffle:
    """End the sale of a raffle for good; orders that hold ticket numbers can still be paid.

    Args:
        raffle_id: primary key of the raffle.
        by: the author of the change.
        now: time of the change.

    Raises:
        RaffleNotFound: there is no such raffle.
        TransitionNotAllowed: it is neither open nor paused.

    """
    raffle = raffle_history.lock_raffle_for(raffle_id, wanted=RaffleStatus.CLOSED)
    return raffle_history.change_status(
        raffle, to=RaffleStatus.CLOSED, action=RaffleAction.CLOSED, by=by, now=now
    )


@transaction.atomic(durable=True)
def call_off(raffle_id: int, *, reason: str, by: Actor, now: datetime) -> Raffle:
    """Call off a raffle; nothing of it is sold or confirmed any more.

    Its orders end afterwards, one by one; see `use_cases.raffle_changes`.

    Args:
        raffle_id: primary key of the raffle.
        reason: the reason, which the buyers read.
        by: the author of the change.
        now: time of the change.

    Raises:
        RaffleNotFound: there is no such raffle.
        TransitionNotAllowed: it is sealed, drawn or called off before.
        NoteMissing, NoteTooLong: the reason is empty or too long.

    """
    cleaned = clean_note(reason, required=True)
    raffle = raffle_history.lock_raffle_for(raffle_id, wanted=RaffleStatus.CANCELLED)
    return raffle_history.change_status(
        raffle,
        to=RaffleStatus.CANCELLED,
        action=RaffleAction.CALLED_OFF,
        by=by,
        now=now,
        reason=cleaned,
    )


@transaction.atomic(durable=True)
def move_draw(
    raffle_id: int,
    *,
    draw_at: datetime | None,
    reason: str,
    by: Actor,
    now: datetime,
) -> Raffle:
    """Move the draw of a raffle that is on sale or was; buyers are told afterwards.

    A chosen end of sales that would be after the draw becomes the time of the draw. Deadlines of
    orders follow the draw by themselves; see `sale_rules.cap_deadline`.

    Args:
        raffle_id: primary key of the raffle.
        draw_at: the new date; None: it is drawn when all its numbers are sold.
        reason: the reason, which the buyers read.
        by: the author of the change.
        now: time of the change.

    Returns:
        The raffle; unchanged and without a new history entry if the date is the same.

    Raises:
        RaffleNotFound: there is no such raffle.
        DrawDatePassed: the present draw date is not in the future.
        DrawDateNotAhead: the new date is not in the future.
        SourceDateNamed: it would come before the date of a source that the rules name.
        TransitionNotAllowed: it is a draft, whose dates are edited, or sealed, drawn or called off.
        NoteMissing, NoteTooLong: the reason is empty or too long.

    """
    cleaned = clean_note(reason, required=True)
    raffle = locks.lock_raffle(raffle_id)
    refusal = find_move_draw_refusal(raffle, now=now)
    if refusal is not None:
        raise refusal
    before = raffle.draw_at
    if draw_at is not None and draw_at <= now:
        raise DrawDateNotAhead(draw_at=draw_at)
    if draw_at == before and raffle.draw_when_sold_out == (draw_at is None):
        return raffle
    _refuse_draw_before_source(raffle, draw_at=draw_at)
    raffle.draw_at, raffle.draw_when_sold_out, raffle.updated_at = draw_at, draw_at is None, now
    if draw_at is not None and raffle.sales_close_at is not None:
        raffle.sales_close_at = min(raffle.sales_close_at, draw_at)
    raffle.save(update_fields=["draw_at", "draw_when_sold_out", "sales_close_at", "updated_at"])
    raffle_history.record_raffle_event(
        raffle,
        action=RaffleAction.DRAW_MOVED,
        before=RaffleStatus(raffle.status),
        by=by,
        now=now,
        reason=cleaned,
        draw_before=before,
    )
    return raffle


def find_move_draw_refusal(raffle: Raffle, *, now: datetime) -> DomainError | None:
    """Return why the draw of a raffle cannot be moved to any date, or None if it can."""
    if raffle.status not in _STATUSES_WITH_MOVABLE_DRAW:
        return TransitionNotAllowed(current=raffle.status, wanted=RaffleAction.DRAW_MOVED)
    if raffle.draw_at is not None and raffle.draw_at <= now:
        return DrawDatePassed(draw_at=raffle.draw_at)
    return None


def _refuse_draw_before_source(raffle: Raffle, *, draw_at: datetime | None) -> None:
    """Refuse a draw that is moved away from a source's date which the rules name.

    A source without a date follows the draw. One with a date may have spoken before a draw that is
    moved to a later time; then the rules say that its next date decides.
    """
    named = DrawSource.objects.filter(raffle=raffle, at__isnull=False).order_by("at")
    source = named.last()
    if source is None or source.at is None:
        return
    comes_later = draw_at and (
        draw_at >= source.at or (raffle.draw_at and draw_at > raffle.draw_at)
    )
    if not comes_later:
        raise SourceDateNamed(source=source.name, at=source.at)


_STATUSES_WITH_MOVABLE_DRAW = (RaffleStatus.OPEN, RaffleStatus.PAUSED, RaffleStatus.CLOSED)


_LEGAL_DETAILS: Final = ("promoter", "permit_number", "rules_url")
"""Fields that regulators ask for on a ticket or beside it."""


def _refuse_missing_legal_details(raffle: Raffle) -> None:
    if not config.get_settings().legal_details_required:
        return
    missing = [name for name in _LEGAL_DETAILS if not getattr(raffle, name).strip()]
    if missing:
        raise LegalDetailsMissing(missing=missing)


def _prepare_rules(raffle: Raffle) -> None:
    """Write the default rules if there are none; else check that they still fit the raffle."""
    if draw_rules.are_rules_frozen(raffle.pk):
        return
    problem = draw_rules.find_rules_problem(raffle, draw_rules.load_chosen_rules(raffle))
    if problem is not None:
        raise RulesInvalid(problem=problem)
    draw_rules.write_default_rules(raffle)


def _refuse_incomplete_dates(raffle: Raffle, *, now: datetime) -> None:
    if not raffle.time_zone_confirmed:
        raise TimeZoneNotConfirmed
    if raffle.draw_at is None:
        if not raffle.draw_when_sold_out:
            raise DrawDateMissing
    elif raffle.draw_at <= now:
        raise DrawDateNotAhead(draw_at=raffle.draw_at)
    end = sale_rules.compute_sales_end(raffle)
    if end is not None and end <= now:
        raise SalesEndNotAhead(sales_end=end)
