"""Rows of values and stubs: saved, confirmed or declared void, each with a history entry.

The raffle is locked by `sealed_raffles.lock_sealed_raffle`.

If two people draw, one alone decides nothing that could steer: values count once the second one has
confirmed them, and values that count, or a date of a source, are void once both have said so for
the same reason. What nobody has confirmed yet may be called misread by one: the values of the same
date, which anybody can look up, are entered again and need both.
"""

from datetime import datetime
from typing import Final

from django.core.files.base import File

from shared.core.enums import ActorKind, RaffleAction, RaffleStatus, VoidReason
from shared.raffles.actor import Actor
from shared.raffles.draws.draw_errors import EvidenceMissing, LinkInvalid, SecondPersonNeeded
from shared.raffles.draws.draw_models import DrawResult, SealedList, SourceReading
from shared.raffles.models import Raffle
from shared.raffles.services import raffle_history
from shared.raffles.services.draws import sealed_raffles
from shared.raffles.validators import is_web_address

MAX_LINK_LENGTH: Final = 500
"""Characters of a link."""

NOT_SKIPPED: Final = "The source published values."
"""Comment on a date that one person wanted to skip."""


def clean_evidence(link: str, photo: "File[bytes] | None") -> str:
    """Return the link to what shows the values, without white space around it.

    Raises:
        EvidenceMissing: there is neither a link nor a photo.
        LinkInvalid: the link is no web address, or is too long.

    """
    cleaned = clean_link(link)
    if not cleaned and photo is None:
        raise EvidenceMissing
    return cleaned


def clean_link(link: str) -> str:
    """Return a link without white space around it; it may be empty.

    Raises:
        LinkInvalid: it is no web address, or is too long.

    """
    cleaned = link.strip()
    if cleaned and not is_web_address(cleaned, maximum=MAX_LINK_LENGTH):
        raise LinkInvalid(maximum=MAX_LINK_LENGTH)
    return cleaned


def save_reading(
    reading: SourceReading,
    sealed: SealedList,
    *,
    photo: "File[bytes] | None",
    by: Actor,
    now: datetime,
) -> SourceReading:
    """Save values that were entered; if one person draws, they count at once."""
    reading.entered_kind, reading.entered_id, reading.entered_by = by.kind, by.id, by.label
    reading.entered_owner, reading.entered_at = by.owner, now
    if not sealed.two_people:
        _set_confirmation(reading, by=by, now=now)
    if photo is not None:
        reading.photo.save(photo.name or "photo", photo, save=False)
    reading.save()
    _record(reading, RaffleAction.VALUE_ENTERED, by=by, now=now)
    return reading


def confirm_as_second(reading: SourceReading, *, by: Actor, now: datetime) -> None:
    """Let values count, because a second person confirms them.

    Raises:
        SecondPersonNeeded: the same person entered them, a token of this person did, or a token
            confirms.

    """
    same_person = (by.kind, by.id) == (reading.entered_kind, reading.entered_id)
    own_token = bool(reading.entered_owner) and reading.entered_owner == by.label
    if by.kind is not ActorKind.STAFF or same_person or own_token:
        raise SecondPersonNeeded
    _set_confirmation(reading, by=by, now=now)
    reading.save(update_fields=["confirmed_kind", "confirmed_id", "confirmed_by", "confirmed_at"])
    _record(reading, RaffleAction.VALUE_CONFIRMED, by=by, now=now)


def declare_void(
    reading: SourceReading,
    sealed: SealedList,
    *,
    reason: VoidReason,
    comment: str,
    by: Actor,
    now: datetime,
) -> None:
    """Declare values or a date void; the first of two people only proposes it.

    Args:
        reading: the values; without any, a source's date at which nothing was published.
        sealed: the sealed list, which says whether two people are needed.
        reason: why they do not count.
        comment: what happened; public.
        by: a member of staff.
        now: the present time.

    Raises:
        SecondPersonNeeded: the same person proposed it before.
        PrizeClaimed: a prize drawn from them was claimed.

    """
    results = _load_results(reading)
    for result in results:
        sealed_raffles.refuse_if_claimed(result)
    unconfirmed = reading.confirmed_at is None and reason is VoidReason.MISREAD
    if sealed.two_people and not unconfirmed:
        if not reading.is_void_proposed or reading.void_reason != reason:
            _propose_void(reading, reason=reason, comment=comment, by=by, now=now)
            return
        if reading.void_proposed_id == by.id:
            raise SecondPersonNeeded
        comment = "\n".join(filter(None, [reading.void_comment, comment]))
    reading.void_reason, reading.void_comment = reason, comment
    reading.voided_by, reading.voided_at = by.label, now
    reading.void_of_draw = bool(results)
    reading.save()
    _record(reading, RaffleAction.VALUE_VOIDED, by=by, now=now, comment=comment)


def _propose_void(
    reading: SourceReading, *, reason: VoidReason, comment: str, by: Actor, now: datetime
) -> None:
    reading.void_reason, reading.void_comment = reason, comment
    reading.void_proposed_id, reading.void_proposed_by = by.id, by.label
    reading.void_proposed_at = now
    reading.save()
    _record(reading, RaffleAction.VOID_PROPOSED, by=by, now=now, comment=comment)


def end_proposed_skip(reading: SourceReading, *, by: Actor, now: datetime) -> None:
    """End the wish of one person to skip a date, because the source published values after all."""
    reading.void_reason = VoidReason.MISREAD
    reading.void_comment = f"{reading.void_comment}\n{NOT_SKIPPED}"
    reading.voided_by, reading.voided_at = by.label, now
    reading.save()
    _record(reading, RaffleAction.VALUE_VOIDED, by=by, now=now, comment=NOT_SKIPPED)


def _load_results(reading: SourceReading) -> list[DrawResult]:
    """Return the results that were drawn from values."""
    results = DrawResult.objects.filter(raffle=reading.raffle)
    return [result for result in results if reading.pk in result.how["readings"]]


def _set_confirmation(reading: SourceReading, *, by: Actor, now: datetime) -> None:
    reading.confirmed_kind, reading.confirmed_id = by.kind, by.id
    reading.confirmed_by, reading.confirmed_at = by.label, now


def _record(
    reading: SourceReading, action: RaffleAction, *, by: Actor, now: datetime, comment: str = ""
) -> None:
    raffle: Raffle = reading.raffle
    name = reading.source.name if reading.source is not None else str(reading.prize)
    values = f": {' '.join(reading.values)}" if reading.values else ""
    raffle_history.record_raffle_event(
        raffle,
        action=action,
        before=RaffleStatus(raffle.status),
        by=by,
        now=now,
        reason=f"{name}{values}. {comment}".strip(),
    )
