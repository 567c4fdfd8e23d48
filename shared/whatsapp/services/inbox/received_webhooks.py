"""Webhooks from Meta: stored byte for byte before they are answered, and read afterwards.

Reading stores the items of webhooks and deletes the webhooks in one transaction, so each is read
once, by whichever gateway is first. What cannot be read or stored is kept as an unreadable item,
with an alarm.

On PostgreSQL one gateway reads at a time. With two, each would have other webhooks, and a later
message of a buyer could be stored, and answered, before an earlier one.

If the whole process hangs or dies, it cannot record anything. Therefore a reading of webhooks that
have waited for longer than `LEFT_OVER_AFTER` is counted before it begins. A webhook whose counted
reading did not end is read alone from then on, so that no other webhook is blamed for it, and given
up after `MAX_READINGS`.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Final, NamedTuple

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F
from django.db.models.functions import Length

from shared.core import logs
from shared.core.constants import LEFT_OVER_AFTER
from shared.core.statements.bulk_insert import open_bulk_cursor
from shared.core.statements.compiled_queries import CompiledDelete, CompiledQuery, IsIn
from shared.whatsapp import payloads
from shared.whatsapp.models import ReceivedWebhook
from shared.whatsapp.services.inbox import webhook_store
from shared.whatsapp.services.inbox.batch import Arrival, WebhookBatch
from shared.whatsapp.services.inbox.webhook_store import StoredBatch

MAX_WEBHOOKS_PER_READING: Final = 256
MAX_BYTES_PER_READING: Final = 4 * 1024 * 1024
"""Bounds the memory of a reading; a usual webhook has one kilobyte, the largest three megabytes."""
MAX_READINGS: Final = 5
"""Readings of a webhook that did not end, after which it is given up."""
ALONE_PER_READING: Final = 10
"""Webhooks that are read alone before others have their turn."""

LOCK_READING: Final = "SET LOCAL lock_timeout = '1s'; SELECT pg_advisory_lock(7291001)"
"""Waits for another gateway that reads; if it hangs, others go on with what it has not locked.

PostgreSQL keeps the key apart from those of two parts. The two statements are one transaction,
after which the connection still has the lock.
"""
_LOCK_NOT_AVAILABLE: Final = "55P03"
"""The code of PostgreSQL for a lock that was not free in time."""
_UNLOCK_READING: Final = "SELECT pg_advisory_unlock(7291001)"

_log = logs.get_logger(__name__)


class SignedBody(NamedTuple):
    """The body of a webhook whose signature was checked, and the id under which it is logged."""

    body: bytes
    correlation_id: str


@dataclass(frozen=True, slots=True)
class ReadWebhooks:
    """The result of a reading.

    Attributes:
        count: the number of webhooks that were read.
        stored: a summary of their items.
        are_more_waiting: whether others were left for the next reading.

    """

    count: int = 0
    stored: StoredBatch = field(default_factory=StoredBatch)
    are_more_waiting: bool = False


class _LeftOver(Exception):
    """A webhook has waited too long; nothing was changed."""


class _Waiting(NamedTuple):
    id: int
    size: int
    received_at: datetime
    attempts: int


_INSERT_ON_POSTGRESQL: Final = (
    "INSERT INTO whatsapp_receivedwebhook (body, received_at, correlation_id) "
    "SELECT body, %b, correlation_id "
    "FROM unnest(%b::bytea[], %b::text[]) AS arrived (body, correlation_id)"
)
_INSERT_ON_SQLITE: Final = (
    "INSERT INTO whatsapp_receivedwebhook (body, received_at, correlation_id) VALUES (%s, %s, %s)"
)
_OLDEST: Final = CompiledQuery(
    lambda: (
        ReceivedWebhook.objects.order_by("id")
        .select_for_update(skip_locked=True)
        .values_list("id", Length("body"), "received_at", "attempts")[:MAX_WEBHOOKS_PER_READING]
    )
)
_BODIES: Final = CompiledQuery(
    lambda: (
        ReceivedWebhook.objects.filter(IsIn("id", "ids"))
        .order_by("id")
        .values_list("body", "received_at", "correlation_id")
    )
)
_DELETE: Final = CompiledDelete(lambda: ReceivedWebhook.objects.filter(IsIn("id", "ids")))


def keep_bodies(bodies: Sequence[SignedBody], *, now: datetime) -> None:
    """Store webhooks as they came, in one transaction.

    Args:
        bodies: the webhooks in the order of their arrival.
        now: the time of arrival.

    Raises:
        OperationalError, InterfaceError: the database is not available; nothing was stored.

    """
    received_at = connection.ops.adapt_datetimefield_value(now)
    if connection.vendor == "postgresql":
        contents, ids = [each.body for each in bodies], [each.correlation_id for each in bodies]
        with open_bulk_cursor() as cursor:  # one statement is a transaction
            cursor.execute(_INSERT_ON_POSTGRESQL, [received_at, contents, ids])
    else:
        rows = [(each.body, received_at, each.correlation_id) for each in bodies]
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.executemany(_INSERT_ON_SQLITE, rows)


def read_webhooks(*, now: datetime, limit: int = MAX_WEBHOOKS_PER_READING) -> ReadWebhooks:
    """Read the oldest webhooks that no other gateway is reading.

    If some of them cannot be stored together, fewer are read; one that cannot be stored by itself
    is kept as bytes.

    Args:
        now: the current time.
        limit: the most webhooks to read.

    Raises:
        OperationalError, InterfaceError: the database is not available, or there was a deadlock.
            Nothing was read, and that is not an attempt.

    """
    with _wait_for_turn():
        return _read_webhooks(now=now, limit=limit)


def _read_webhooks(*, now: datetime, limit: int) -> ReadWebhooks:
    size = limit
    while True:
        try:
            return _read_oldest(now=now, limit=size)
        except _LeftOver:
            return _read_left_over(now=now, limit=size)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, others must not wait for it
            _log.warning("reading_refused", error=type(error).__name__, webhooks=size)
        if size == 1:
            oldest = ReceivedWebhook.objects.order_by("id").values_list("id", flat=True)[:1]
            stored = _read_alone(list(oldest), now=now)
            return ReadWebhooks(1, stored, are_more_waiting=True)
        size = max(1, size // 4)


def may_hold_messages(body: bytes) -> bool:
    """Return false for a webhook of nothing but delivery statuses, which are not urgent.

    It is a guess from Meta's usual notation, without spaces; whatever looks otherwise may hold one.
    """
    return b'"messages":' in body or b'"statuses":' not in body


def get_oldest_unread_age(*, now: datetime) -> timedelta | None:
    """Return the age of the oldest webhook that is not read; None if there is none."""
    oldest = ReceivedWebhook.objects.order_by("id").values_list("received_at", flat=True).first()
    return None if oldest is None else now - oldest


@contextmanager
def _wait_for_turn() -> Iterator[None]:
    """Wait until no other gateway reads, for a while; SQLite has one writer anyway.

    The lock belongs to the connection, since webhooks may be read in several transactions.
    """
    is_ours = connection.vendor == "postgresql" and _lock_reading()
    try:
        yield
    finally:
        if is_ours:  # the end of a connection ends the lock, too
            with suppress(OperationalError, InterfaceError), connection.cursor() as cursor:
                cursor.execute(_UNLOCK_READING)


def _lock_reading() -> bool:
    """Return whether this gateway has the lock; False if another one keeps it for too long."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(LOCK_READING)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        return False
    return True


@transaction.atomic(durable=True)
def _read_oldest(*, now: datetime, limit: int) -> ReadWebhooks:
    waiting, are_more_waiting = _list_oldest(limit)
    if any(each.received_at < now - LEFT_OVER_AFTER for each in waiting):
        raise _LeftOver
    stored = _read_locked([each.id for each in waiting], now=now)
    return ReadWebhooks(len(waiting), stored, are_more_waiting)


def _list_oldest(limit: int) -> tuple[list[_Waiting], bool]:
    """Lock the oldest webhooks; return as many as fit into memory, and whether there are more."""
    waiting = [_Waiting(*row) for row in _OLDEST.fetch()]
    sizes = accumulate(each.size for each in waiting)
    fitting = max(1, sum(size <= MAX_BYTES_PER_READING for size in sizes))
    taken = waiting[: min(limit, fitting)]
    return taken, len(waiting) > len(taken) or len(waiting) == MAX_WEBHOOKS_PER_READING


def _read_locked(ids: Collection[int], *, now: datetime) -> StoredBatch:
    """Store the items of webhooks and delete these, inside the caller's transaction."""
    if not ids:
        return StoredBatch()
    rows = _BODIES.fetch(ids=ids)
    webhooks = [payloads.parse_webhook(bytes(body)) for body, _, _ in rows]
    arrivals = [Arrival(received_at, correlation_id) for _, received_at, correlation_id in rows]
    stored = webhook_store.store_items(WebhookBatch.from_webhooks(webhooks, arrivals), now=now)
    _DELETE.run(ids=ids)
    return stored


def _read_left_over(*, now: datetime, limit: int) -> ReadWebhooks:
    """Read the oldest webhooks, or one by one those of them whose reading did not end before."""
    with transaction.atomic(durable=True):
        waiting, _ = _list_oldest(limit)
    begun = [each.id for each in waiting if each.attempts][:ALONE_PER_READING]
    if begun:
        stored = sum((_read_counted([pk], alone=True, now=now) for pk in begun), StoredBatch())
        return ReadWebhooks(len(begun), stored, are_more_waiting=True)
    stored = _read_counted([each.id for each in waiting], alone=False, now=now)
    return ReadWebhooks(len(waiting), stored, are_more_waiting=bool(waiting))


def _read_counted(ids: Collection[int], *, alone: bool, now: datetime) -> StoredBatch:
    """Read webhooks after counting the attempt, which is not one if the database goes away."""
    ReceivedWebhook.objects.filter(pk__in=ids).update(attempts=F("attempts") + 1)
    try:
        if alone:
            return _read_alone(ids, now=now)
        with transaction.atomic(durable=True):
            return _read_locked(ids, now=now)
    except (OperationalError, InterfaceError):
        with suppress(OperationalError, InterfaceError):
            counted = ReceivedWebhook.objects.filter(pk__in=ids, attempts__gt=0)
            counted.update(attempts=F("attempts") - 1)
        raise
    except Exception as error:  # noqa: BLE001 - next time they are read one by one
        _log.warning("reading_refused", error=type(error).__name__, webhooks=len(ids))
        return StoredBatch()


def _read_alone(ids: Collection[int], *, now: datetime) -> StoredBatch:
    """Read webhooks one by one, each in transactions of its own.

    Another gateway may read the same one meanwhile, which changes nothing: its items are stored
    once by their keys.
    """
    stored = StoredBatch()
    for webhook in ReceivedWebhook.objects.filter(pk__in=ids).order_by("id"):
        stored += _store_alone(webhook, now=now)
        webhook.delete()
    return stored


def _store_alone(webhook: ReceivedWebhook, *, now: datetime) -> StoredBatch:
    body = bytes(webhook.body)
    if webhook.attempts > MAX_READINGS:
        _log.error("reading_never_finished", webhook_id=webhook.pk)
        webhook_store.keep_unreadable(body, reason="its reading never finished", now=now)
        return StoredBatch()
    try:
        return webhook_store.store_webhooks_safely(
            [payloads.parse_webhook(body)],
            now=webhook.received_at,
            correlation_ids=[webhook.correlation_id],
        )
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - a bug, which the next try would meet, too
        _log.error("webhook_not_read", webhook_id=webhook.pk, exc_info=error)
        reason = webhook_store.describe_refusal(error)
        webhook_store.keep_unreadable(body, reason=reason, now=now)
        return StoredBatch()
