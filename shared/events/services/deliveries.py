"""Deliveries of events to endpoints: claiming with a lease, recording of results, resending.

Each endpoint has a lane of its own, so that one that is slow or unreachable delays no other.
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
"""Deliveries that one gateway may send to one endpoint at the same time."""

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
"""Waits after each failure, 51 hours in total, so that a receiver may be down for two days."""

MAX_RETRY_AFTER: Final = timedelta(hours=24)
"""The longest wait that a receiver can ask for with `Retry-After`."""

HTTP_GONE: Final = 410
"""The answer with which a receiver ends all further deliveries.

Source: the specification of Standard Webhooks, "Delivery, retries and response".
"""

MAX_RESPONSE_CHARACTERS: Final = 1_000
"""Characters of a response's body that are kept for the log."""

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
        endpoint: the name of the endpoint.
        attempts: the number of attempts so far, since it was queued last.
        header: name and value of the fixed header, or None.

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
    """The result of an attempt.

    Attributes:
        http_status: the status of the response; None if there was none.
        latency_ms: milliseconds until the result.
        body: the beginning of the response.
        error: the reason of the failure, in words; empty if the event arrived.
        retry_after: the wait that the receiver asks for, if it does.

    """

    http_status: int | None
    latency_ms: int
    body: str = ""
    error: str = ""
    retry_after: timedelta | None = None


class FailureConsequence(Enum):
    """The consequence of a failed attempt."""

    RETRIED = auto()  # queued again, for later
    GIVEN_UP = auto()  # it was the last attempt
    GONE = auto()  # the endpoint wants no more events and is switched off
    NOT_OURS = auto()  # another claim has it, or it was deleted: nothing was written


def claim_deliveries(
    *, now: datetime, lease: UUID, lease_for: timedelta, limit: int, busy: Mapping[int, int]
) -> list[ClaimedDelivery]:
    """Claim due deliveries, for each active endpoint as many as its lane has room for.

    Opens its own short transaction, or none if nothing is due.

    Args:
        now: the current time.
        lease: the id of this claim; a result is recorded only for the current lease.
        lease_for: the time after which an unrecorded delivery is queued again.
        limit: the largest number of deliveries; each endpoint gets its first before any gets
            its second.
        busy: the number of deliveries that the caller is sending, by endpoint id.

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
    """Record that an event arrived, unless another claim has the delivery by now.

    Args:
        claimed: the delivery that was attempted.
        answer: the result of the attempt.
        now: the time of the result.

    """
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
    """Record a failed attempt, and queue the next one unless it was the last.

    After a 410 the endpoint is switched off and all its queued deliveries fail, too. Every other
    answer is tried again, since n8n answers 404 while a workflow is not active. If the endpoint
    was switched off meanwhile, the delivery stays queued for it.

    Args:
        claimed: the delivery that was attempted.
        answer: the result of the attempt.
        now: the time of the result.
        jitter: a random number between 0 and 1.

    Returns:
        The consequence, so that the caller can sound an alarm.

    """
    if answer.http_status == HTTP_GONE:
        # Locked before its deliveries, in the same order as when an endpoint is deleted.
        endpoint = EventEndpoint.objects.select_for_update(no_key=True)
        endpoint.filter(pk=claimed.endpoint_id).first()
    delivery = _lock_claimed_delivery(claimed)
    if delivery is None:
        return FailureConsequence.NOT_OURS
    _record_attempt(delivery, answer, now=now)
    consequence = _decide_consequence(delivery, answer)
    if consequence is FailureConsequence.RETRIED:
        wait = retry.add_jitter(RETRY_WAITS[delivery.attempts - 1], jitter=jitter)
        requested_wait = min(answer.retry_after or timedelta(0), MAX_RETRY_AFTER)
        delivery.status = EventDeliveryStatus.QUEUED
        delivery.next_attempt_at = now + max(wait, requested_wait)
    else:
        delivery.status = EventDeliveryStatus.FAILED
    delivery.save(update_fields=list(_RECORDED_FIELDS))
    if consequence is FailureConsequence.GONE:
        _disable_gone_endpoint(claimed.endpoint_id, now=now)
    return consequence


@transaction.atomic
def resend_delivery(delivery_id: int, *, now: datetime) -> EventDelivery:
    """Queue a delivery again, whatever its state; its earlier attempts stay in the log.

    It is due at once, or once its endpoint is switched on again.

    Raises:
        DeliveryNotFound: there is no delivery with this id.
        DeliveryUnderWay: it is being sent at the moment.

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
    """Queue claimed deliveries that were not finished, so that others can send them at once."""
    for delivery in claimed:
        ours = EventDelivery.objects.filter(_IS_SENDING, pk=delivery.id, lease=delivery.lease)
        ours.update(
            status=EventDeliveryStatus.QUEUED, next_attempt_at=now, lease=None, lease_until=None
        )


def expire_leases(now: datetime) -> int:
    """Queue deliveries again whose lease ran out, with an attempt of unknown result in the log.

    Opens its own short transaction, or none if there is nothing to do.

    Returns:
        The number of leases that had run out.

    """
    if not EventDelivery.objects.filter(_IS_SENDING, lease_until__lt=now).exists():
        return 0
    with transaction.atomic():
        expired = EventDelivery.objects.select_for_update(skip_locked=True, no_key=True)
        ids = list(
            expired.filter(_IS_SENDING, lease_until__lt=now)
            .order_by("pk")
            .values_list("pk", flat=True)[:_LEASES_EXPIRED_PER_RUN]
        )
        error = "The gateway ended before it knew what became of this try."
        EventAttempt.objects.bulk_create(
            EventAttempt(delivery_id=pk, at=now, error=error) for pk in ids
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
"""The values of a delivery without any attempt."""


def _find_due_deliveries(endpoint_id: int, *, now: datetime, limit: int) -> list[int]:
    if limit <= 0:
        return []
    due = EventDelivery.objects.filter(_IS_QUEUED, endpoint=endpoint_id, next_attempt_at__lte=now)
    return list(due.order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:limit])


@transaction.atomic
def _lease_deliveries(
    ids: Collection[int], *, now: datetime, lease: UUID, lease_for: timedelta
) -> list[ClaimedDelivery]:
    # Locked in one order and without waiting, so that two gateways never block each other.
    unlocked = EventDelivery.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
    claimed = list(
        unlocked.filter(_IS_QUEUED, pk__in=ids, next_attempt_at__lte=now, endpoint__active=True)
        .select_related("event", "endpoint")
        .order_by("pk")
    )
    EventDelivery.objects.filter(pk__in=[delivery.pk for delivery in claimed]).update(
        status=EventDeliveryStatus.SENDING, lease=lease, lease_until=now + lease_for
    )
    return [_build_claimed_delivery(delivery, lease=lease) for delivery in claimed]


def _build_claimed_delivery(delivery: EventDelivery, *, lease: UUID) -> ClaimedDelivery:
    endpoint = delivery.endpoint
    has_header = bool(endpoint.header_name)
    return ClaimedDelivery(
        id=delivery.pk,
        lease=lease,
        endpoint_id=endpoint.pk,
        endpoint=endpoint.name,
        url=endpoint.url,
        secret=endpoint.secret,
        header=(endpoint.header_name, endpoint.header_value) if has_header else None,
        event=delivery.event,
        attempts=delivery.attempts,
    )


def _lock_claimed_delivery(claimed: ClaimedDelivery) -> EventDelivery | None:
    """Lock a claimed delivery; return None if another claim has it or it was deleted."""
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
    """Switch off an endpoint that is gone, and fail its queued deliveries."""
    reason = "The receiver answered 410 Gone: it wants no more events."
    EventEndpoint.objects.filter(pk=endpoint_id, active=True).update(
        active=False, disabled_at=now, disabled_reason=reason
    )
    EventDelivery.objects.filter(_IS_QUEUED, endpoint=endpoint_id).update(
        status=EventDeliveryStatus.FAILED, next_attempt_at=None, error=reason
    )
