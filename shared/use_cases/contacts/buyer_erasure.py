"""Erasure of one buyer on request: what was sold and paid stays, without the person."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from shared.core import logs
from shared.core.enums import ProofStatus
from shared.core.errors import DomainError
from shared.publishing import event_erasure
from shared.raffles.actor import Actor
from shared.raffles.models import Order, PaymentProof
from shared.raffles.services import locks
from shared.raffles.services.retention import (
    erasable_orders,
    file_removal,
    order_erasure,
    winner_erasure,
)
from shared.use_cases import signals
from shared.use_cases.contacts import buyers
from shared.use_cases.contacts.buyers import Buyer
from shared.use_cases.errors import (
    BuyerHasOpenOrder,
    BuyerHasUndecidedReceipt,
    BuyerInUndrawnRaffle,
    BuyerIsOwedMoney,
    BuyerMessageUnderWay,
)
from shared.whatsapp.models import InboundMessage, OutboundMessage, WhatsAppContact
from shared.whatsapp.services import erasure
from shared.whatsapp.services.erasure import ContactKeys

ON_REQUEST: Final = "on request"

_MIN_PHONE_DIGITS: Final = 7
"""As short as a phone number can be (`sender_ids`); logs are searched for no shorter text."""

_log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """What an erasure would take, and what forbids it.

    Attributes:
        contacts: contacts whose ids, names and conversation go.
        messages: messages from and to them.
        orders: orders that lose their texts, and stay.
        proofs: payment proofs that lose their picture and texts.
        drawn: codes of paid orders in raffles that are over; their numbers have no owner any more.
        won: codes of orders that won a prize; the record of the draw keeps name and phone number.
        refusals: what has to happen first; each names the orders in its details.

    """

    contacts: int
    messages: int
    orders: int
    proofs: int
    drawn: tuple[str, ...]
    won: tuple[str, ...]
    refusals: tuple[DomainError, ...]


@dataclass(frozen=True, slots=True)
class ErasedBuyer:
    """What was erased, for receivers of the signal `buyer_erased` and for the log.

    Attributes:
        contact_ids: the contacts.
        partner_ids: other contacts with which these were compared or joined.
        order_ids: the orders that lost their texts.
        order_codes: the codes of these orders.
        keys: ids and names of the person; never to be stored or logged.
        messages: how many messages were deleted.
        proofs: how many payment proofs were erased.
        files: how many of them had a file.
        on_request: whether all logs are to be searched for the person.

    """

    contact_ids: tuple[int, ...]
    partner_ids: tuple[int, ...]
    order_ids: tuple[int, ...]
    order_codes: tuple[str, ...]
    keys: ContactKeys
    messages: int
    proofs: int
    files: int
    on_request: bool


def plan_erasure(buyer: Buyer, *, now: datetime) -> ErasurePlan:
    """Return what `erase_buyer` would do, without changing anything."""
    ids = buyer.contact_ids
    orders = Order.objects.filter(pk__in=buyer.order_ids)
    proofs = PaymentProof.objects.filter(pk__in=buyer.proof_ids)
    return ErasurePlan(
        contacts=WhatsAppContact.objects.filter(pk__in=ids, erased_at=None).count(),
        messages=InboundMessage.objects.filter(contact__in=ids).count()
        + OutboundMessage.objects.filter(contact__in=ids).count(),
        orders=orders.filter(erased_at=None).count(),
        proofs=proofs.exclude(status=ProofStatus.ERASED).count(),
        drawn=tuple(
            erasable_orders.list_order_codes(
                buyer.order_ids, erasable_orders.build_drawn_condition(now=now)
            )
        ),
        won=tuple(winner_erasure.list_won_orders(buyer.order_ids)),
        refusals=tuple(_find_refusals(buyer, now=now)),
    )


def erase_buyer(buyer: Buyer, *, by: Actor, now: datetime) -> ErasedBuyer:
    """Erase the personal data of a buyer, in one transaction, and then their files.

    Orders, numbers, amounts, ledger entries, times and the names of staff stay. Numbers stay sold.
    The record of a draw goes on naming its winners, as the law of raffles asks, until
    `retention.enforce_retention` erases them.
    A buyer who may still win, pay or get money back is not erased, not even in parts: the seller
    must be able to reach them, and a buyer who asked must not be told that it was done.

    Args:
        buyer: from `buyers.find_buyer`.
        by: the author.
        now: the present time.

    Raises:
        BuyerHasOpenOrder, BuyerHasUndecidedReceipt, BuyerInUndrawnRaffle, BuyerIsOwedMoney: the
            orders are named in the details; nothing was changed.
        BuyerMessageUnderWay: try again.

    """
    erased = _erase_buyer(buyer, by=by, now=now)
    file_removal.remove_erased_files()
    _log.info(
        "buyer_erased",
        contact_ids=erased.contact_ids,
        orders=len(erased.order_ids),
        proofs=erased.proofs,
        messages=erased.messages,
        by=by.kind,
        actor_id=by.id,
    )
    return erased


@transaction.atomic(durable=True)
def _erase_buyer(buyer: Buyer, *, by: Actor, now: datetime) -> ErasedBuyer:
    owners = Order.objects.filter(pk__in=_list_orders_to_lock(buyer), contact__isnull=False)
    others = owners.order_by().values_list("contact_id", flat=True)
    locked = erasure.lock_for_erasure({*buyer.contact_ids, *others})  # all of them in one order
    contacts = [contact for contact in locked if contact.pk in buyer.contact_ids]
    found, buyer = buyer, buyers.refresh_buyer(buyer)
    if buyer.contact_ids != found.contact_ids:  # joined meanwhile
        raise BuyerMessageUnderWay
    orders = locks.lock_orders_with_contacts(_list_orders_to_lock(buyer))
    for refusal in _find_refusals(buyer, now=now):
        raise refusal
    own = [order for order in orders if order.pk in buyer.order_ids]
    erased = erase_locked(
        contacts, own, buyer.proof_ids, by=by, now=now, reason=ON_REQUEST, on_request=True
    )
    erasure.erase_from_logs(erased.keys, now=now)
    return erased


def erase_locked(
    contacts: Collection[WhatsAppContact],
    orders: Collection[Order],
    proof_ids: Collection[int],
    *,
    by: Actor,
    now: datetime,
    reason: str,
    on_request: bool,
) -> ErasedBuyer:
    """Erase locked contacts, orders and payment proofs in the caller's transaction.

    Nothing of it waits for a decision; the caller has looked, and calls
    `file_removal.remove_erased_files` after the commit.

    Args:
        contacts: contacts of one buyer, locked by `erasure.lock_for_erasure`.
        orders: locked orders.
        proof_ids: payment proofs of these orders, or sent by these contacts.
        by: the author.
        now: the present time.
        reason: why, for the history of the orders; names nobody.
        on_request: whether receivers of the signal search all logs for the person.

    """
    contact_ids = [contact.pk for contact in contacts]
    keys = erasure.collect_keys(contacts) | _collect_cash_keys(orders)
    elsewhere = _list_orders_of_others(proof_ids, orders)
    order_erasure.erase_join_reasons(erasure.list_joined_orders(contact_ids))
    order_erasure.erase_sender_labels(list(elsewhere), contact_ids=contact_ids)
    event_erasure.erase_sender_events(list(elsewhere.values()), names=keys.names | keys.ids)
    fresh = [order for order in orders if order.erased_at is None]
    order_erasure.erase_orders(fresh, by=by, now=now, reason=reason)
    codes = [str(order) for order in orders]
    event_erasure.erase_order_events(codes)
    if contacts:
        event_erasure.erase_person_events(keys.ids)
    proofs = order_erasure.erase_proofs(proof_ids)
    erased = ErasedBuyer(
        contact_ids=tuple(contact_ids),
        partner_ids=tuple(erasure.list_partners(contact_ids)),
        order_ids=tuple(order.pk for order in fresh),
        order_codes=tuple(codes),
        keys=keys,
        messages=erasure.erase_contacts(contacts, now=now) if contacts else 0,
        proofs=proofs.proofs,
        files=proofs.files,
        on_request=on_request,
    )
    signals.buyer_erased.send(sender=ErasedBuyer, erased=erased, now=now)
    return erased


def _find_refusals(buyer: Buyer, *, now: datetime) -> Iterator[DomainError]:
    """Yield what forbids the erasure of a buyer, also in orders that they paid for others."""
    ids = _list_orders_to_lock(buyer)
    for refusal, condition in (
        (BuyerHasOpenOrder, erasable_orders.build_open_condition()),
        (BuyerHasUndecidedReceipt, erasable_orders.build_undecided_condition()),
        (BuyerIsOwedMoney, erasable_orders.build_owed_condition()),
        (BuyerInUndrawnRaffle, erasable_orders.build_undrawn_condition(now=now)),
    ):
        if codes := erasable_orders.list_order_codes(ids, condition):
            yield refusal(orders=codes)
    unplaced = PaymentProof.objects.filter(erasable_orders.UNDECIDED_PROOFS, order=None)
    if waiting := sorted(unplaced.filter(pk__in=buyer.proof_ids).values_list("pk", flat=True)):
        yield BuyerHasUndecidedReceipt(orders=[], proof_ids=waiting)
    if erasure.has_messages_under_way(buyer.contact_ids):
        yield BuyerMessageUnderWay()


def _list_orders_to_lock(buyer: Buyer) -> list[int]:
    """Return the orders of a buyer, and those of others that their receipts pay."""
    paid = PaymentProof.objects.filter(pk__in=buyer.proof_ids, order__isnull=False).order_by()
    return sorted({*buyer.order_ids, *paid.values_list("order_id", flat=True)} - {None})


def _list_orders_of_others(proof_ids: Collection[int], orders: Collection[Order]) -> dict[int, str]:
    """Return the codes of the orders of other buyers that payment proofs belong to, by id."""
    own = [order.pk for order in orders]
    others = Order.objects.filter(proofs__in=proof_ids).exclude(pk__in=own).distinct()
    return {order.pk: str(order) for order in others.order_by("pk")}


def _collect_cash_keys(orders: Collection[Order]) -> ContactKeys:
    """Return what cash buyers were called; a phone number too short to be one finds nobody."""
    cash = [order for order in orders if order.contact_id is None]
    return ContactKeys(
        frozenset(
            order.buyer_phone
            for order in cash
            if sum(map(str.isdigit, order.buyer_phone)) >= _MIN_PHONE_DIGITS
        ),
        frozenset(order.buyer_name for order in cash if order.buyer_name),
    )
