"""What became of events on their way to endpoints: claimed with a lease, recorded, sent again.

Each endpoint has a lane of its own, so that one that is slow or dead holds up nobody else.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from itertools import chain, zip_longest
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from shared.core import logs, retry
from shared.core.enums import EventDeliveryStatus
from shared.core.sql import inline_enum_value
from shared.events.errors import DeliveryNotFound, DeliveryUnderWay
from shared.events.models import Event, EventAttempt, EventDelivery, EventEndpoint

MAX_CONCURRENT_PER_ENDPOINT: Final = 4
"""How many may be under way to one endpoint from one gateway."""

RETRY_WAITS: Final = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
    timedelta(hours=12),
    timedelta(hours=24),
)
"""After each failure; together 51 hours, so that a receiver may be away over a weekend's nights."""

MAX_RETRY_AFTER: Final = timedelta(hours=24)
"""How much of what a receiver asks for with `Retry-After` is kept."""

HTTP_GONE: Final = 410
"""The one answer that says: never again.

Source: the specification of Standard Webhooks, "Delivery, retries and response".
"""

MAX_RESPONSE_CHARACTERS: Final = 1_000
"""Characters of an answer's body that the log shows."""

_MAX_ERROR_CHARACTERS: Final = 300
_MAX_LATENCY_MS: Final = 2**31 - 1
_LEASES_EXPIRED_PER_RUN: Final = 500
_IS_QUEUED: Final = Q(status=inline_enum_value(EventDeliveryStatus.QUEUED))
_IS_SENDING: Final = Q(status=inline_enum_value(EventDeliveryStatus.SENDING))

_log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery that one gateway may try until its lease runs out.

    Attributes:
        attempts: how often it was tried before, since it was queued last.
        header: the fixed header as name and value, or nothing.

    """

    id: int
    lease: UUID
    endpoint_id: int
    endpoint: str
    url: str
    secret: str
    header: tuple[str, str] | None
    event: Event
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """What came of one try.

    Attributes:
        http_status: of the answer; None: there was none.
        latency_ms: milliseconds until it was known.
        body: how the answer begins.
        error: why it counts as failed, in words; nothing if it arrived.
        retry_after: how long the receiver asks to wait, if it does.

    """

    http_status: int | None
    latency_ms: int
    body: str = ""
    error: str = ""
    retry_after: timedelta | None = None


class FailureConsequence(Enum):
    """What a failed try leads to."""

    RETRIED = auto()  # queued again, for later
    GIVEN_UP = auto()  # that was the last try
    GONE = auto()  # the endpoint wants nothing any more and is switched off
    NOT_OURS = auto()  # the lease was taken over or all is deleted: nothing was written


def claim_deliveries(
    *, now: datetime, lease: UUID, lease_for: timedelta, limit: int, busy: Mapping[int, int]
) -> list[ClaimedDelivery]:
    """Claim deliveries that are due, for each active endpoint as many as its lane has room for.

    Opens its own short transaction, and none when nothing is due.

    Args:
        now: the time.
        lease: names this claim; what is recorded later counts only with it.
        lease_for: after this time without a record somebody else tries.
        limit: how many at most; each endpoint gets its first before any gets its second.
        busy: how many the caller has under way, by endpoint.

    """
    lanes = [
        _find_due_deliveries(
            endpoint_id, now=now, limit=MAX_CONCURRENT_PER_ENDPOINT - busy.get(endpoint_id, 0)
        )
        for endpoint_id in EventEndpoint.objects.filter(active=True).values_list("pk", flat=True)
    ]
    turns = chain.from_iterable(zip_longest(*lanes))
    due = [delivery_id for delivery_id in turns if delivery_id is not None][:limit]
    return _lease_deliveries(due, now=now, lease=lease, lease_for=lease_for) if due else []


@transaction.atomic
def record_success(claimed: ClaimedDelivery, *, answer: AttemptResult, now: datetime) -> None:
    """Note that an event arrived; does nothing once the lease was taken over."""
    delivery = _lock_claimed_delivery(claimed)
    if delivery is None:
        return
    _record_attempt(delivery, answer, now=now)
    delivery.status = EventDeliveryStatus.DELIVERED
    delivery.delivered_at = now
    delivery.save(update_fields=list(_RECORDED_FIELDS))


@transaction.atomic
def record_failure(
    claimed: ClaimedDelivery, *, answer: AttemptResult, now: datetime, jitter: float
) -> FailureConsequence:
    """Note that a try failed, and queue the next one unless it was the last.

    After 410 the endpoint is switched off and whatever waits for it has failed, too. Every other
    answer is tried again, for n8n says 404 as long as a workflow is not active. An endpoint that
    was switched off meanwhile keeps what failed waiting.

    Args:
        claimed: what was tried.
        answer: what came of it.
        now: when.
        jitter: a die between 0 and 1.

    Returns:
        What it leads to; who is told of it is up to the caller.

    """
    if answer.http_status == HTTP_GONE:
        # Before its deliveries, as whoever deletes an endpoint does.
        endpoint = EventEndpoint.objects.select_for_update(no_key=True)
        endpoint.filter(pk=claimed.endpoint_id).first()
    delivery = _lock_claimed_delivery(claimed)
    if delivery is None:
        return FailureConsequence.NOT_OURS
    _record_attempt(delivery, answer, now=now)
    fate = _decide_consequence(delivery, answer)
    if fate is FailureConsequence.RETRIED:
        wait = retry.add_jitter(RETRY_WAITS[delivery.attempts - 1], jitter=jitter)
        asked = min(answer.retry_after or timedelta(0), MAX_RETRY_AFTER)
        delivery.status = EventDeliveryStatus.QUEUED
        delivery.next_attempt_at = now + max(wait, asked)
    else:
        delivery.status = EventDeliveryStatus.FAILED
    delivery.save(update_fields=list(_RECORDED_FIELDS))
    if fate is FailureConsequence.GONE:
        _disable_gone_endpoint(claimed.endpoint_id, now=now)
    return fate


@transaction.atomic
def resend_delivery(delivery_id: int, *, now: datetime) -> EventDelivery:
    """Queue a delivery anew, whatever became of it; its tries so far stay in the log.

    It leaves at once, or once its endpoint is switched on again.

    Raises:
        DeliveryNotFound: there is none with this id.
        DeliveryUnderWay: it is being sent right now.

    """
    delivery = EventDelivery.objects.select_for_update(no_key=True).filter(pk=delivery_id).first()
    if delivery is None:
        raise DeliveryNotFound
    if delivery.status == EventDeliveryStatus.SENDING:
        raise DeliveryUnderWay
    for name, value in _UNTRIED_VALUES.items():
        setattr(delivery, name, value)
    delivery.next_attempt_at = now
    delivery.save(update_fields=["next_attempt_at", *_UNTRIED_VALUES])
    _log.info("delivery_queued_again", delivery_id=delivery_id)
    return delivery


def release_deliveries(claimed: Iterable[ClaimedDelivery], *, now: datetime) -> None:
    """Give back what was claimed and not sent to the end, so that somebody else tries at once."""
    for delivery in claimed:
        ours = EventDelivery.objects.filter(_IS_SENDING, pk=delivery.id, lease=delivery.lease)
        ours.update(
            status=EventDeliveryStatus.QUEUED, next_attempt_at=now, lease=None, lease_until=None
        )


def expire_leases(now: datetime) -> int:
    """Queue again what nobody sends any more, and say in the log that nobody knows its fate.

    Opens its own short transaction, and none when there is nothing to do.

    Returns:
        How many leases had run out.

    """
    if not EventDelivery.objects.filter(_IS_SENDING, lease_until__lt=now).exists():
        return 0
    with transaction.atomic():
        lost = EventDelivery.objects.select_for_update(skip_locked=True, no_key=True)
        ids = list(
            lost.filter(_IS_SENDING, lease_until__lt=now)
            .order_by("pk")
            .values_list("pk", flat=True)[:_LEASES_EXPIRED_PER_RUN]
        )
        words = "The gateway ended before it knew what became of this try."
        EventAttempt.objects.bulk_create(
            EventAttempt(delivery_id=pk, at=now, error=words) for pk in ids
        )
        EventDelivery.objects.filter(pk__in=ids).update(
            status=EventDeliveryStatus.QUEUED, next_attempt_at=now, lease=None, lease_until=None
        )
    _log.warning("delivery_leases_expired", deliveries=len(ids))
    return len(ids)


_RECORDED_FIELDS: Final = (
    "status",
    "attempts",
    "next_attempt_at",
    "lease",
    "lease_until",
    "http_status",
    "latency_ms",
    "error",
    "response",
    "delivered_at",
)

_UNTRIED_VALUES: Final[Mapping[str, Any]] = {
    "status": EventDeliveryStatus.QUEUED,
    "attempts": 0,
    "lease": None,
    "lease_until": None,
    "http_status": None,
    "latency_ms": None,
    "error": "",
    "response": "",
    "delivered_at": None,
}
"""A delivery as if it had never been tried."""


def _find_due_deliveries(endpoint_id: int, *, now: datetime, limit: int) -> list[int]:
    if limit <= 0:
        return []
    waiting = EventDelivery.objects.filter(
        _IS_QUEUED, endpoint=endpoint_id, next_attempt_at__lte=now
    )
    return list(waiting.order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:limit])


@transaction.atomic
def _lease_deliveries(
    ids: Collection[int], *, now: datetime, lease: UUID, lease_for: timedelta
) -> list[ClaimedDelivery]:
    # Locked in one order and without waiting: two gateways never block or deadlock each other.
    free = EventDelivery.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
    taken = list(
        free.filter(_IS_QUEUED, pk__in=ids, next_attempt_at__lte=now, endpoint__active=True)
        .select_related("event", "endpoint")
        .order_by("pk")
    )
    EventDelivery.objects.filter(pk__in=[delivery.pk for delivery in taken]).update(
        status=EventDeliveryStatus.SENDING, lease=lease, lease_until=now + lease_for
    )
    return [_build_claimed_delivery(delivery, lease=lease) for delivery in taken]


def _build_claimed_delivery(delivery: EventDelivery, *, lease: UUID) -> ClaimedDelivery:
    endpoint = delivery.endpoint
    named = bool(endpoint.header_name)
    return ClaimedDelivery(
        id=delivery.pk,
        lease=lease,
        endpoint_id=endpoint.pk,
        endpoint=endpoint.name,
        url=endpoint.url,
        secret=endpoint.secret,
        header=(endpoint.header_name, endpoint.header_value) if named else None,
        event=delivery.event,
        attempts=delivery.attempts,
    )


def _lock_claimed_delivery(claimed: ClaimedDelivery) -> EventDelivery | None:
    """Lock a claimed delivery; None once somebody else has it, or it is deleted."""
    locked = EventDelivery.objects.select_for_update(no_key=True)
    return locked.filter(pk=claimed.id, lease=claimed.lease).first()


def _record_attempt(delivery: EventDelivery, answer: AttemptResult, *, now: datetime) -> None:
    latency = min(max(answer.latency_ms, 0), _MAX_LATENCY_MS)
    error = answer.error[:_MAX_ERROR_CHARACTERS]
    EventAttempt.objects.create(
        delivery=delivery,
        at=now,
        http_status=answer.http_status,
        latency_ms=latency,
        error=error,
    )
    delivery.attempts += 1
    delivery.next_attempt_at = delivery.lease = delivery.lease_until = None
    delivery.http_status, delivery.latency_ms = answer.http_status, latency
    delivery.error = error
    delivery.response = answer.body.replace("\0", "")[:MAX_RESPONSE_CHARACTERS]


def _decide_consequence(delivery: EventDelivery, answer: AttemptResult) -> FailureConsequence:
    if answer.http_status == HTTP_GONE:
        return FailureConsequence.GONE
    return (
        FailureConsequence.RETRIED
        if delivery.attempts <= len(RETRY_WAITS)
        else FailureConsequence.GIVEN_UP
    )


def _disable_gone_endpoint(endpoint_id: int, *, now: datetime) -> None:
    """Switch off an endpoint that is gone; what waits for it has failed."""
    words = "The receiver answered 410 Gone: it wants no more events."
    EventEndpoint.objects.filter(pk=endpoint_id, active=True).update(
        active=False, disabled_at=now, disabled_reason=words
    )
    EventDelivery.objects.filter(_IS_QUEUED, endpoint=endpoint_id).update(
        status=EventDeliveryStatus.FAILED, next_attempt_at=None, error=words
    )
