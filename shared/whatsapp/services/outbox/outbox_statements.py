"""Statements that run for every message that is sent, and for its statuses, compiled once.

A message that is *reserved* is still QUEUED and has a lease: one gateway has taken it and does not
send it yet. Once its `lease_until` has passed, any gateway may take it.
"""

from functools import cache
from typing import Any, Final

from django.db.models import (
    BigIntegerField,
    CharField,
    DateTimeField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    UUIDField,
)

from shared.core.enums import OutboxStatus
from shared.core.statements.compiled_queries import CompiledQuery, CompiledUpdate, IsIn, Parameter
from shared.whatsapp.models import BusinessNumber, DeliveryStatus, OutboundMessage
from shared.whatsapp.services.outbox.message_status import UNTRIED_FIELDS

_NOW: Final = Parameter("now", DateTimeField())
_PHONE_NUMBER_ID: Final = Parameter("phone_number_id", CharField())
_LEASE: Final = Parameter("lease", UUIDField())
_LEASE_UNTIL: Final = Parameter("lease_until", DateTimeField())
_IS_DUE: Final = Q(next_attempt_at=None) | Q(next_attempt_at__lte=_NOW)
_IS_NOT_RESERVED: Final = Q(lease_until=None) | Q(lease_until__lte=_NOW)


def _query_queued() -> QuerySet[OutboundMessage]:
    return OutboundMessage.objects.filter(status=OutboxStatus.QUEUED)


def _query_sending() -> QuerySet[OutboundMessage]:
    return OutboundMessage.objects.filter(status=OutboxStatus.SENDING)


def _query_unknown() -> QuerySet[OutboundMessage]:
    return OutboundMessage.objects.filter(status=OutboxStatus.UNKNOWN)


# ── claims ───────────────────────────────────────────────────────────────────────────────────────

FIRST_QUEUED: Final = CompiledQuery(
    lambda: _query_queued().order_by("pk").values_list("pk", flat=True)[:1]
)
"""The id of the oldest queued message: one look into an index, if there is none."""

TROUBLED_NUMBERS: Final = CompiledQuery(
    lambda: BusinessNumber.objects.filter(
        Q(paused_at__isnull=False) | Q(send_after__isnull=False)
    ).order_by()
)
"""The business numbers that are paused or slowed down."""


def _query_queue_heads() -> "QuerySet[OutboundMessage, tuple[Any, ...]]":
    """Return the oldest queued message of each contact to whom none is being sent.

    Parameters: `now`; `skip_contacts`, contacts that are left out.
    """
    queued = _query_queued()
    earlier = queued.filter(contact=OuterRef("contact"), pk__lt=OuterRef("pk"))
    reserved = queued.filter(
        contact=OuterRef("contact"), pk__gte=OuterRef("pk"), lease_until__gt=_NOW
    )
    return (
        queued.filter(
            _IS_DUE,
            ~Exists(earlier),
            ~Exists(reserved),
            Q(contact__send_after=None) | Q(contact__send_after__lte=_NOW),
        )
        .exclude(contact_id__in=_query_sending().values("contact_id"))
        .exclude(IsIn("contact_id", "skip_contacts"))
        .order_by("pk")
        .values_list("pk", "contact_id", "phone_number_id", "contact__last_inbound_at")
    )


@cache
def get_queue_heads_query(at_most: int) -> "CompiledQuery[tuple[Any, ...]]":
    """Return the query of queue heads, without those of the business numbers `skip_numbers`."""
    return CompiledQuery(
        lambda: _query_queue_heads().exclude(IsIn("phone_number_id", "skip_numbers"))[:at_most]
    )


QUEUE_HEAD_OF_NUMBER: Final = CompiledQuery(
    lambda: _query_queue_heads().filter(phone_number_id=_PHONE_NUMBER_ID)[:1]
)
"""The oldest queue head of a business number."""

LOCK_CLAIMABLE: Final = CompiledQuery(
    # Locked in one order and without waiting, so that two gateways never block each other.
    lambda: (
        _query_queued()
        .filter(_IS_DUE, _IS_NOT_RESERVED, IsIn("id", "ids"))
        .select_for_update(skip_locked=True, no_key=True, of=("self",))
        .select_related("contact")
        .order_by("pk")
    )
)

RESERVE: Final = CompiledUpdate(
    lambda: OutboundMessage.objects.filter(IsIn("id", "ids")),
    lease=_LEASE,
    lease_until=_LEASE_UNTIL,
)

CONTACTS_WITH_MORE: Final = CompiledQuery(
    lambda: (
        _query_queued()
        .filter(_IS_NOT_RESERVED, IsIn("contact_id", "contacts"), pk__gt=0)
        .order_by()
        .values_list("contact_id", flat=True)
        .distinct()
    )
)
"""Those of the contacts who have queued messages that nobody has reserved.

The condition on the id makes SQLite use the index of the queue, not of all messages of a contact.
"""

# One for each status, since a partial index serves exactly one. Few messages are being sent or of
# unknown result, so those of all contacts are read.
UNSETTLED: Final = CompiledQuery(
    lambda: (
        _query_queued()
        .filter(IsIn("contact_id", "contacts"), pk__lt=Parameter("before", BigIntegerField()))
        .order_by()
        .values_list("contact_id", "pk")
        .union(
            _query_sending().order_by().values_list("contact_id", "pk"),
            _query_unknown().order_by().values_list("contact_id", "pk"),
            all=True,
        )
    )
)
"""Contact and id of messages that may still be sent.

These are the queued ones to `contacts` with an id below `before`, and all that are being sent or of
unknown result.
"""

# ── marks of sends ───────────────────────────────────────────────────────────────────────────────

LOCK_FOR_MARKS: Final = CompiledQuery(
    lambda: (
        OutboundMessage.objects.filter(IsIn("id", "ids"))
        .select_for_update(no_key=True, of=("self",))
        .order_by("pk")
        .values_list("pk", "contact_id", "status", "lease")
    )
)

CONTACTS_OF_SENDS: Final = CompiledQuery(
    lambda: _query_sending().order_by().values_list("contact_id", flat=True)
)
"""The contact of each message that is being sent."""

START: Final = CompiledUpdate(
    lambda: OutboundMessage.objects.filter(IsIn("id", "ids")),
    status=OutboxStatus.SENDING,
    lease_until=_LEASE_UNTIL,
)

RELEASE: Final = CompiledUpdate(
    lambda: _query_queued().filter(pk=Parameter("id", BigIntegerField()), lease=_LEASE),
    lease=None,
    lease_until=None,
)

RECORD_SENT: Final = CompiledUpdate(
    lambda: OutboundMessage.objects.filter(
        pk=Parameter("id", BigIntegerField()),
        lease=_LEASE,
        status__in=OutboundMessage.UNSENT,
    ),
    status=OutboxStatus.SENT,
    wa_message_id=Parameter("wa_message_id", CharField()),
    sent_at=_NOW,
    attempts=F("attempts") + 1,
    next_attempt_at=None,
    lease=None,
    lease_until=None,
    error="",
    error_code=None,
)

# ── abandoned sends ──────────────────────────────────────────────────────────────────────────────

FIRST_EXPIRED_SEND: Final = CompiledQuery(
    lambda: (
        _query_sending()
        .filter(lease_until__lt=_NOW)
        .order_by("lease_until")
        .values_list("pk", flat=True)[:1]
    )
)
"""The id of a message that is being sent with an expired lease."""

FIRST_SILENT_SEND: Final = CompiledQuery(
    lambda: (
        _query_unknown()
        .filter(next_attempt_at__lte=_NOW)
        .order_by("next_attempt_at")
        .values_list("pk", flat=True)[:1]
    )
)
"""The id of a message whose send was neither answered nor reported in time."""

# ── delivery statuses ────────────────────────────────────────────────────────────────────────────


def _query_new_statuses() -> QuerySet[DeliveryStatus]:
    """Return the statuses that are not applied; parameter: `now`."""
    waiting = DeliveryStatus.objects.filter(applied_at=None, next_attempt_at__lte=_NOW)
    return waiting.order_by("next_attempt_at", "pk")


FIRST_NEW_STATUS: Final = CompiledQuery(
    lambda: _query_new_statuses().values_list("pk", flat=True)[:1]
)


@cache
def get_new_statuses_query(at_most: int) -> CompiledQuery[DeliveryStatus]:
    """Return the query that locks new statuses; those that another gateway locked are skipped."""
    return CompiledQuery(
        lambda: _query_new_statuses().select_for_update(skip_locked=True, no_key=True)[:at_most]
    )


MESSAGES_BY_CALLBACK_DATA: Final = CompiledQuery(
    lambda: (
        OutboundMessage.objects.filter(IsIn("callback_data", "values"))
        .order_by()
        .values_list("callback_data", "pk", "contact_id")
    )
)

MESSAGES_BY_WAMID: Final = CompiledQuery(
    lambda: (
        OutboundMessage.objects.filter(IsIn("wa_message_id", "values"))
        .order_by()
        .values_list("wa_message_id", "pk", "contact_id")
    )
)

LOCK_MESSAGES: Final = CompiledQuery(
    lambda: (
        OutboundMessage.objects.filter(IsIn("id", "ids"))
        .select_for_update(no_key=True)
        .defer("payload")
        .order_by("pk")
    )
)

SET_DELIVERY: Final = CompiledUpdate(
    lambda: OutboundMessage.objects.filter(IsIn("id", "ids")),
    delivery=Parameter("delivery", CharField()),
)

_FIELDS: Final = {field.name: field for field in OutboundMessage._meta.fields}  # noqa: SLF001

SAVE_MESSAGE: Final = CompiledUpdate(
    lambda: OutboundMessage.objects.filter(pk=Parameter("id", BigIntegerField())),
    **{name: Parameter(name, _FIELDS[name]) for name in UNTRIED_FIELDS},
)

MARK_APPLIED: Final = CompiledUpdate(
    lambda: DeliveryStatus.objects.filter(IsIn("id", "ids")), applied_at=_NOW
)
