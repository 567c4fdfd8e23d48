"""Search for everything that belongs to one buyer, by what a person asks with."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import Q

from shared.raffles.models import Order, PaymentProof
from shared.use_cases.errors import BuyerErased, BuyerNotFound
from shared.whatsapp.models import ContactAlias, WhatsAppContact
from shared.whatsapp.services import erasure

_PHONE: Final = re.compile(r"[+\d\s()./-]+")


@dataclass(frozen=True, slots=True)
class Buyer:
    """The rows of one buyer, by their ids in ascending order.

    Attributes:
        contact_ids: their contacts on all business numbers, with those that were joined.
        order_ids: their orders, also those for cash under their phone number.
        proof_ids: the payment proofs of these orders, and those that they sent for others.

    """

    contact_ids: tuple[int, ...]
    order_ids: tuple[int, ...]
    proof_ids: tuple[int, ...]


def find_buyer(key: str) -> Buyer:
    """Return the buyer with a phone number, a user id at Meta, or the code of an order.

    A phone number is compared with its country code. A sale for cash whose phone number was typed
    without it is found by the code of the order.

    Args:
        key: e.g. "+1 555 010 0001", "US.1349…" or "R-7K3F9".

    Raises:
        BuyerNotFound: there is none.
        BuyerErased: everything of theirs was erased before.

    """
    text = key.strip()
    order = Order.objects.filter(code=text.upper()).first() if text else None
    if order is not None:
        if order.contact_id is not None:
            return find_buyer_of_contact(order.contact_id)
        if order.erased_at is not None:
            raise BuyerErased
        return _collect_buyer([], [order.pk])
    digits = _read_digits(text) if _PHONE.fullmatch(text) else ""
    ids = _list_contacts({digits} if digits else set(), {text} if text and not digits else set())
    buyer = _collect_everything(ids, {digits})
    if not buyer.contact_ids and not buyer.order_ids:
        raise BuyerNotFound
    return buyer


def find_buyer_of_contact(contact_id: int) -> Buyer:
    """Return the buyer with a contact, with all contacts and sales for cash of the same person.

    Raises:
        BuyerErased: the contact was erased before.
        WhatsAppContact.DoesNotExist: there is no such contact.

    """
    group = WhatsAppContact.objects.filter(pk__in=erasure.list_group(contact_id))
    if not group.filter(erased_at=None).exists():
        raise BuyerErased
    return _collect_everything({contact_id}, set())


def refresh_buyer(buyer: Buyer) -> Buyer:
    """Return a buyer with what belongs to them by now; call it with the contacts locked."""
    cash = Order.objects.filter(pk__in=buyer.order_ids, contact=None).order_by()
    return _collect_buyer(buyer.contact_ids, cash.values_list("pk", flat=True))


def _collect_everything(contact_ids: Collection[int], phones: Collection[str]) -> Buyer:
    """Return the buyer with contacts or phone numbers, and all else under any of their ids.

    Each business number has contacts of its own, some without a phone number. One person's are
    found by what they have in common: a phone number, or a user id of now or earlier.
    """
    known: set[int] = set()
    numbers = {number for number in phones if number}
    found = {*contact_ids, *_list_contacts(numbers, set())}
    while found - known:
        known |= {pk for contact_id in found - known for pk in erasure.list_group(contact_id)}
        group = WhatsAppContact.objects.filter(pk__in=known).only("wa_id", "user_id")
        earlier = ContactAlias.objects.filter(contact__in=known).order_by()
        numbers |= {contact.wa_id for contact in group if contact.wa_id}
        user_ids = {contact.user_id for contact in group if contact.user_id}
        found = _list_contacts(numbers, {*user_ids, *earlier.values_list("user_id", flat=True)})
    cash = [pk for number in numbers for pk in _list_cash_orders(number)]
    return _collect_buyer(known, cash)


def _list_contacts(numbers: Collection[str], user_ids: Collection[str]) -> set[int]:
    """Return the ids of contacts with one of these phone numbers or user ids."""
    same = Q(wa_id__in=numbers) | Q(user_id__in=user_ids)
    contacts = WhatsAppContact.objects.filter(same).order_by()
    earlier = ContactAlias.objects.filter(user_id__in=user_ids).order_by()
    return {*contacts.values_list("pk", flat=True), *earlier.values_list("contact_id", flat=True)}


def _collect_buyer(contact_ids: Iterable[int], cash_order_ids: Iterable[int]) -> Buyer:
    contacts = sorted({pk for each in contact_ids for pk in erasure.list_group(each)})
    owned = Order.objects.filter(contact__in=contacts).order_by()
    orders = sorted({*owned.values_list("pk", flat=True), *cash_order_ids})
    proofs = PaymentProof.objects.filter(Q(order__in=orders) | Q(contact__in=contacts))
    return Buyer(
        tuple(contacts),
        tuple(orders),
        tuple(proofs.order_by("pk").values_list("pk", flat=True)),
    )


def _list_cash_orders(phone: str) -> list[int]:
    """Return the sales for cash with a phone number that was typed with its country code."""
    sold = Order.objects.filter(contact=None, search_phone__contains=phone).order_by("pk")
    typed = sold.values_list("pk", "buyer_phone")
    return [pk for pk, written in typed if _read_digits(written) == phone]


def _read_digits(phone: str) -> str:
    """Return the digits of a phone number without the prefix of international calls."""
    return re.sub(r"\D", "", phone.replace("(0)", "")).removeprefix("00")
