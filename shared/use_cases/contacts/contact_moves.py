"""Move of all contacts from one business number to another, e.g. when it is registered anew."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When

from shared.core import logs
from shared.core.enums import InboxStatus, OutboxStatus, ProofStatus
from shared.raffles.actor import Actor
from shared.raffles.models import PaymentProof, Raffle
from shared.use_cases.contacts import contact_joins
from shared.whatsapp.models import (
    ContactAlias,
    InboundMessage,
    OutboundMessage,
    WhatsAppContact,
)

CONTACTS_PER_TRANSACTION: Final = 500
"""Few enough that no buyer waits long for an answer meanwhile."""

_MAX_RACES: Final = 10
"""Buyers who write to the new number for the first time while their contact moves."""

_UNSENT: Final = (*OutboundMessage.UNSENT, OutboxStatus.WITHHELD, OutboxStatus.FAILED)

_log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NumberChange:
    """A business number that replaces another one.

    Attributes:
        old: Meta's phone number id of the number that is given up.
        new: Meta's phone number id of the number that replaces it.
        same_user_ids: whether both belong to one business portfolio, in which buyers keep their
            user ids; otherwise those of contacts with a phone number are dropped.

    """

    old: str
    new: str
    same_user_ids: bool = True


@dataclass(frozen=True, slots=True)
class MovePlan:
    """What a move would do.

    Attributes:
        contacts: contacts that go on with the new number.
        joins: contacts that are joined into the one that the same buyer has there already.
        strangers: contacts that stay, because somebody else has their phone number there.
        messages: messages that are not sent yet, and would be sent from the new number.
        unanswered: messages to the old number that wait for an answer.
        raffles: raffles that are sold from the old number.
        receipts: payment proofs that are still to be fetched with the old number.

    """

    contacts: int
    joins: int
    strangers: int
    messages: int
    unanswered: int
    raffles: int
    receipts: int


@dataclass(frozen=True, slots=True)
class MoveResult:
    """How many contacts were moved and joined, and how many raffles were moved."""

    contacts: int
    joins: int
    raffles: int


def plan_move(change: NumberChange) -> MovePlan:
    """Return what `move_contacts` would do, without changing anything."""
    contacts = WhatsAppContact.objects.filter(phone_number_id=change.old, joined_into=None)
    moving, joins = _query_contacts_to_move(change).count(), len(_find_pairs(change))
    unsent = OutboundMessage.objects.filter(phone_number_id=change.old, status__in=_UNSENT)
    unanswered = InboundMessage.objects.filter(status=InboxStatus.RECEIVED)
    proofs = PaymentProof.objects.filter(status=ProofStatus.FETCHING)
    return MovePlan(
        contacts=moving,
        joins=joins,
        strangers=contacts.count() - moving - joins,
        messages=unsent.count(),
        unanswered=unanswered.filter(phone_number_id=change.old).count(),
        raffles=Raffle.objects.filter(phone_number_id=change.old).count(),
        receipts=proofs.filter(phone_number_id=change.old).count(),
    )


def move_contacts(change: NumberChange, *, by: Actor, now: datetime) -> MoveResult:
    """Move the contacts of a business number to another one, in short transactions.

    Conversations, orders, unsent messages and the 24-hour window go on. Meta does not say whether
    the window does; what it refuses for that waits until the buyer writes, as always. A buyer who
    wrote to the new number has a contact there, which gets everything of the old one. After an
    interruption, call it again.

    Args:
        change: the two numbers.
        by: the author of the joins.
        now: the present time.

    Raises:
        IntegrityError: too many buyers wrote to the new number meanwhile; call it again.

    """
    raffles = Raffle.objects.filter(phone_number_id=change.old).update(phone_number_id=change.new)
    moved = joined = 0
    for race in range(1, _MAX_RACES + 1):
        joined += _join_pairs(change, by=by, now=now)
        try:
            while count := _move_batch(change):
                moved += count
            break
        except IntegrityError:
            if race == _MAX_RACES:
                raise
    _log.info("contacts_moved", old=change.old, new=change.new, contacts=moved, joins=joined)
    return MoveResult(contacts=moved, joins=joined, raffles=raffles)


def _join_pairs(change: NumberChange, *, by: Actor, now: datetime) -> int:
    pairs = _find_pairs(change)
    for old_id, new_id in sorted(pairs.items()):
        contact_joins.join_contacts(new_id, old_id, by=by, now=now, across_numbers=True)
        _redirect_unsent([new_id], change)
    return len(pairs)


def _find_pairs(change: NumberChange) -> dict[int, int]:
    """Return the contacts of the same buyers on both numbers: old ones with their new ones.

    It is the same buyer by the user id, or by the phone number unless both have user ids and they
    differ.
    """
    there = WhatsAppContact.objects.filter(phone_number_id=change.new, joined_into=None)
    here = WhatsAppContact.objects.filter(phone_number_id=change.old, joined_into=None)
    keys = ("pk", "user_id", "wa_id")
    by_user_id, by_wa_id = {}, {}
    for pk, user_id, wa_id in there.order_by().values_list(*keys):
        by_user_id[user_id] = by_wa_id[wa_id] = (pk, user_id)
    pairs: dict[int, int] = {}
    for pk, old_user_id, wa_id in here.order_by("pk").values_list(*keys):
        user_id = old_user_id if change.same_user_ids else None
        found = by_user_id.get(user_id) if user_id else None
        if found is None and wa_id is not None:
            found = by_wa_id.get(wa_id)
        if found is not None and (user_id is None or found[1] in {None, user_id}):
            pairs[pk] = found[0]
    return pairs


def _query_contacts_to_move(change: NumberChange) -> QuerySet[WhatsAppContact]:
    """Return the contacts none of whose keys has a contact on the new number."""
    there = WhatsAppContact.objects.filter(phone_number_id=change.new)
    contacts = WhatsAppContact.objects.filter(phone_number_id=change.old, joined_into=None)
    return contacts.filter(
        ~Exists(there.filter(wa_id=OuterRef("wa_id"))),
        ~Exists(there.filter(user_id=OuterRef("user_id"))),
    )


@transaction.atomic(durable=True)
def _move_batch(change: NumberChange) -> int:
    rows = _query_contacts_to_move(change).select_for_update(no_key=True).order_by("pk")
    ids = list(rows.values_list("pk", flat=True)[:CONTACTS_PER_TRANSACTION])
    dropped = When(wa_id__isnull=False, then=Value(None))
    WhatsAppContact.objects.filter(pk__in=ids).update(
        phone_number_id=change.new,
        user_id=F("user_id") if change.same_user_ids else Case(dropped, default=F("user_id")),
        send_after=None,
        pair_rate_hits=0,
    )
    # Contacts that were joined into these follow, so that the join can still be undone.
    WhatsAppContact.objects.filter(phone_number_id=change.old, joined_into__in=ids).update(
        phone_number_id=change.new
    )
    taken = ContactAlias.objects.filter(phone_number_id=change.new, user_id=OuterRef("user_id"))
    aliases = ContactAlias.objects.filter(contact__in=ids, phone_number_id=change.old)
    if change.same_user_ids:
        aliases.filter(~Exists(taken)).update(phone_number_id=change.new)
    _redirect_unsent(ids, change)
    return len(ids)


def _redirect_unsent(contact_ids: list[int], change: NumberChange) -> None:
    """Send the unsent messages to contacts from the new number."""
    rows = OutboundMessage.objects.filter(
        Q(contact__in=contact_ids), phone_number_id=change.old, status__in=_UNSENT
    )
    ids = list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    OutboundMessage.objects.filter(pk__in=ids).update(phone_number_id=change.new)
