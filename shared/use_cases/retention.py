"""End of the retention period: orders of ended raffles, buyers nobody needs, old messages and logs.

Each batch is a transaction that locks and looks again, so several processes may run at once, and
after an interruption the next run goes on with the rest. Between them others get their turn.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Self

from django.db import OperationalError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from shared.core import logs
from shared.core.constants import DEFAULT_RECORD_YEARS
from shared.core.deadlocks import is_deadlock
from shared.core.enums import ActorKind, InboxStatus, ProofStatus
from shared.core.write_turns import WriteTurns
from shared.raffles.actor import Actor
from shared.raffles.models import ErasedFile, Order, PaymentProof
from shared.raffles.services import locks
from shared.raffles.services.retention import (
    erasable_orders,
    file_removal,
    order_erasure,
    winner_erasure,
)
from shared.use_cases import signals
from shared.use_cases.contacts import buyer_erasure
from shared.whatsapp.models import InboundMessage, OutboundMessage, WhatsAppContact
from shared.whatsapp.services import erasure

BY_CLOCK: Final = Actor(ActorKind.SWEEPER, label="retention period")
REASON: Final = "the retention period is over"

_ORDERS_PER_TRANSACTION: Final = 10
"""On SQLite, everybody else waits for a transaction."""

_MESSAGES_PER_TRANSACTION: Final = 500
_LOGS_PER_TRANSACTION: Final = 500
_MAX_DEADLOCKS: Final = 20

_log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RetentionCounts:
    """How much was erased, or would be.

    Attributes:
        raffles: raffles whose retention period is over, also those that were erased before.
        orders: orders that lose their texts, and the name of a cash buyer.
        proofs: payment proofs that lose their picture and texts.
        contacts: buyers who lose their ids, names and conversation.
        messages: messages that are deleted, apart from those of these buyers.
        files: files that an earlier run left behind.
        winners: winners whom the record of a draw names no longer.

    """

    raffles: int
    orders: int
    proofs: int
    contacts: int
    messages: int
    files: int
    winners: int


@dataclass(frozen=True, slots=True)
class _Period:
    """What the retention period has ended for: times before `before`, and raffles by id."""

    before: datetime
    raffles: tuple[int, ...]

    @classmethod
    def begin(cls, before: datetime) -> Self:
        """Return the period with the raffles that have ended by now."""
        return cls(before, tuple(erasable_orders.list_ended_raffles(before=before)))

    def query_orders(self) -> QuerySet[Order]:
        """Return the orders to erase."""
        return erasable_orders.query_erasable_orders(self.raffles)

    def query_kept_orders(self) -> QuerySet[Order]:
        """Return the orders that are not erased and stay so."""
        ended = Q(raffle__in=self.raffles) & ~erasable_orders.build_unsettled_condition()
        return Order.objects.filter(~ended, erased_at=None).order_by()

    def query_contacts(self) -> QuerySet[WhatsAppContact]:
        """Return the buyers whom no order needs any more, and who have long been silent."""
        orders = self.query_kept_orders()
        proofs = PaymentProof.objects.filter(contact=OuterRef("pk")).order_by()
        inbound = InboundMessage.objects.filter(contact=OuterRef("pk")).order_by()
        outbound = OutboundMessage.objects.filter(contact=OuterRef("pk")).order_by()
        contacts = WhatsAppContact.objects.filter(
            Q(last_inbound_at=None) | Q(last_inbound_at__lt=self.before),
            erased_at=None,
            joined_into=None,
            created_at__lt=self.before,
        )
        return contacts.filter(
            ~Exists(orders.filter(contact=OuterRef("pk"))),
            ~Exists(proofs.filter(erasable_orders.UNDECIDED_PROOFS)),
            ~Exists(proofs.filter(order__in=orders.values("pk"))),
            ~Exists(inbound.filter(sent_at__gte=self.before)),
            ~Exists(inbound.filter(status=InboxStatus.RECEIVED)),
            ~Exists(outbound.filter(created_at__gte=self.before)),
            ~Exists(outbound.filter(status__in=OutboundMessage.UNSENT)),
        ).order_by("pk")

    def query_inbound(self) -> QuerySet[InboundMessage]:
        """Return messages from before every order of their buyer that stays."""
        old = InboundMessage.objects.filter(contact__isnull=False, received_at__lt=self.before)
        unneeded = ~Exists(self._query_orders_since("received_at"))
        return old.exclude(status=InboxStatus.RECEIVED).filter(unneeded).order_by("pk")

    def query_outbound(self) -> QuerySet[OutboundMessage]:
        """Return messages to buyers from before every order of theirs that stays."""
        old = OutboundMessage.objects.filter(created_at__lt=self.before)
        unneeded = ~Exists(self._query_orders_since("created_at"))
        return old.exclude(status__in=OutboundMessage.UNSENT).filter(unneeded).order_by("pk")

    def _query_orders_since(self, column: str) -> QuerySet[Order]:
        kept = self.query_kept_orders()
        return kept.filter(contact=OuterRef("contact"), created_at__lte=OuterRef(column))


def plan_retention(
    *, days: int, now: datetime, record_years: int = DEFAULT_RECORD_YEARS
) -> RetentionCounts:
    """Return what `enforce_retention` would erase, without changing anything."""
    period = _Period.begin(now - timedelta(days=days))
    drawn_before = winner_erasure.compute_record_limit(now, years=record_years)
    contacts = period.query_contacts()
    orders = period.query_orders()
    proofs = PaymentProof.objects.filter(Q(order__in=orders) | Q(contact__in=contacts))
    inbound = period.query_inbound().exclude(contact__in=contacts)
    outbound = period.query_outbound().exclude(contact__in=contacts)
    return RetentionCounts(
        raffles=len(period.raffles),
        orders=orders.count(),
        proofs=proofs.exclude(status=ProofStatus.ERASED).count(),
        contacts=contacts.count(),
        messages=inbound.count() + outbound.count(),
        files=ErasedFile.objects.count(),
        winners=winner_erasure.query_expired_claims(before=drawn_before).count(),
    )


def enforce_retention(
    *, days: int, now: datetime, record_years: int = DEFAULT_RECORD_YEARS
) -> RetentionCounts:
    """Erase everything whose retention period is over, then remove the files.

    The record of a draw lies outside this period; its winners are named for years.

    Args:
        days: the retention period, from the end of a raffle.
        now: the present time.
        record_years: years from the last draw of a raffle until its winners are erased.

    Returns:
        What this call erased.

    """
    period = _Period.begin(now - timedelta(days=days))
    leftovers = file_removal.remove_erased_files()
    turns = WriteTurns()
    orders, proofs = _erase_orders(period, turns, now=now)
    contacts, more_proofs = _erase_contacts(period, turns, now=now)
    messages = _delete_messages(period, turns, now=now)
    _delete_logs(period, turns, now=now)
    winners = _retry(partial(_erase_winners, years=record_years, now=now), turns)
    file_removal.remove_erased_files()
    counts = RetentionCounts(
        len(period.raffles), orders, proofs + more_proofs, contacts, messages, leftovers, winners
    )
    _log.info(
        "retention_enforced",
        days=days,
        orders=orders,
        proofs=counts.proofs,
        contacts=contacts,
        messages=messages,
        winners=winners,
    )
    return counts


@transaction.atomic(durable=True)
def _erase_winners(*, years: int, now: datetime) -> int:
    before = winner_erasure.compute_record_limit(now, years=years)
    return winner_erasure.erase_winners(before=before, now=now)


def _erase_orders(period: _Period, turns: WriteTurns, *, now: datetime) -> tuple[int, int]:
    orders = proofs = 0
    for ids in _iterate_batches(period.query_orders(), size=_ORDERS_PER_TRANSACTION):
        erased = _retry(partial(_erase_order_batch, period, ids, now=now), turns)
        orders, proofs = orders + erased[0], proofs + erased[1]
    return orders, proofs


@transaction.atomic(durable=True)
def _erase_order_batch(period: _Period, ids: list[int], *, now: datetime) -> tuple[int, int]:
    locks.lock_orders_with_contacts(ids)
    period = _Period.begin(period.before)  # a raffle may have been called off meanwhile
    orders = list(period.query_orders().filter(pk__in=ids).select_related("contact"))
    erased = buyer_erasure.erase_locked(
        [],
        orders,
        _list_ids(PaymentProof.objects.filter(order__in=orders)),
        by=BY_CLOCK,
        now=now,
        reason=REASON,
        on_request=False,
    )
    return len(erased.order_ids), erased.proofs


def _erase_contacts(period: _Period, turns: WriteTurns, *, now: datetime) -> tuple[int, int]:
    contacts = proofs = 0
    for ids in _iterate_batches(period.query_contacts(), size=_MESSAGES_PER_TRANSACTION):
        for contact_id in ids:
            erased = _retry(partial(_erase_contact, period, contact_id, now=now), turns)
            contacts, proofs = contacts + erased[0], proofs + erased[1]
    return contacts, proofs


@transaction.atomic(durable=True)
def _erase_contact(period: _Period, contact_id: int, *, now: datetime) -> tuple[int, int]:
    locked = erasure.lock_for_erasure(erasure.list_group(contact_id))
    if not period.query_contacts().filter(pk=contact_id).exists():
        return 0, 0  # they wrote, ordered or were joined meanwhile, or another process was faster
    sent = PaymentProof.objects.filter(contact__in=locked).exclude(status=ProofStatus.ERASED)
    erased = buyer_erasure.erase_locked(
        locked, [], _list_ids(sent), by=BY_CLOCK, now=now, reason=REASON, on_request=False
    )
    return 1, erased.proofs


def _delete_messages(period: _Period, turns: WriteTurns, *, now: datetime) -> int:
    count = 0
    for ids in _iterate_batches(period.query_inbound(), size=_MESSAGES_PER_TRANSACTION):
        count += _retry(partial(_delete_message_batch, period, inbound=ids, now=now), turns)
    for ids in _iterate_batches(period.query_outbound(), size=_MESSAGES_PER_TRANSACTION):
        count += _retry(partial(_delete_message_batch, period, outbound=ids, now=now), turns)
    return count


@transaction.atomic(durable=True)
def _delete_message_batch(
    period: _Period,
    *,
    inbound: list[int] | None = None,
    outbound: list[int] | None = None,
    now: datetime,
) -> int:
    return erasure.delete_messages(
        inbound=period.query_inbound().filter(pk__in=inbound or []),
        outbound=period.query_outbound().filter(pk__in=outbound or []),
        now=now,
    )


def _delete_logs(period: _Period, turns: WriteTurns, *, now: datetime) -> None:
    """Delete old logs; they name people in ways that no row of a contact leads to.

    So do texts that staff wrote about an order after it was erased.
    """
    with_limit = partial(erasure.delete_old_logs, before=period.before, limit=_LOGS_PER_TRANSACTION)
    while _retry(transaction.atomic(durable=True)(with_limit), turns):
        pass
    order_erasure.erase_later_texts(before=period.before)
    signals.logs_expired.send(sender=RetentionCounts, before=period.before, now=now)


def _iterate_batches(rows: QuerySet[Any], *, size: int) -> Iterator[list[int]]:
    """Yield the ids of rows in ascending order; rows that stay are passed once only."""
    last = 0
    while ids := list(rows.filter(pk__gt=last).values_list("pk", flat=True)[:size]):
        last = ids[-1]
        yield ids


def _list_ids(rows: QuerySet[Any]) -> list[int]:
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _retry[Result](unit: Callable[[], Result], turns: WriteTurns) -> Result:
    """Run a transaction in its turn, and again if it met a deadlock, which is nobody's fault."""
    for _ in range(_MAX_DEADLOCKS):
        try:
            with turns.take():
                return unit()
        except OperationalError as error:
            if not is_deadlock(error):
                raise
    return unit()
