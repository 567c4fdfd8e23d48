"""Joins of two contacts that are the same person; nobody is told."""

from datetime import datetime

from django.db import transaction

from shared.core import logs
from shared.raffles.actor import Actor
from shared.raffles.services import contact_changes
from shared.whatsapp.errors import JoinNotUndoable
from shared.whatsapp.models import ContactJoin
from shared.whatsapp.services.inbox import contact_joins, join_suggestions

_log = logs.get_logger(__name__)


@transaction.atomic(durable=True)
def join_contacts(
    kept_id: int, joined_id: int, *, by: Actor, now: datetime, across_numbers: bool = False
) -> ContactJoin:
    """Join two contacts of one person: one gets the orders, proofs, messages and ids of the other.

    No order changes but for its contact, which its history notes, also if the orders together
    exceed what one buyer may have. It can be undone until either writes again.

    Args:
        kept_id: the contact that stays.
        joined_id: the contact whose things move; it stays as an empty row.
        by: the author.
        now: the present time.
        across_numbers: whether the business number of the joined contact was replaced by that of
            the kept one.

    Raises:
        SameContact, OtherBusinessNumber, ContactAlreadyJoined: see `contact_joins.lock_pair`.
        WhatsAppContact.DoesNotExist: one of them does not exist.

    """
    pair = contact_joins.lock_pair(kept_id, joined_id, across_numbers=across_numbers)
    orders = contact_changes.list_order_ids(joined_id)
    proofs = contact_changes.list_proof_ids(joined_id)
    order_count = _count_orders(kept_id, joined_id)
    reason = f"{pair.joined} was joined into {pair.kept}"
    contact_changes.move_orders(orders, to_contact_id=kept_id, reason=reason, by=by, now=now)
    contact_changes.move_proofs(proofs, to_contact_id=kept_id)
    join = contact_joins.join_pair(
        pair,
        moved={"orders": orders, "proofs": proofs},
        order_count=order_count,
        current_id=join_suggestions.find_current_contact(kept_id, joined_id),
        by=by.label,
        now=now,
    )
    join_suggestions.settle_suggestion(kept_id, joined_id, by=by.label, now=now)
    _log.info("contacts_joined", join_id=join.pk, kept_id=kept_id, joined_id=joined_id, by=by.kind)
    return join


@transaction.atomic(durable=True)
def undo_join(join_id: int, *, by: Actor, now: datetime) -> ContactJoin:
    """Undo a join: the joined contact gets back what it brought.

    What was decided about its orders since stays decided, and goes with them.

    Args:
        join_id: the join.
        by: the author.
        now: the present time.

    Raises:
        JoinAlreadyUndone: it was undone before.
        JoinNotUndoable: either wrote or ordered since, was joined again, or an id has another
            owner by now.
        ContactJoin.DoesNotExist: there is no such join.

    """
    join = contact_joins.lock_join(join_id)
    if not may_undo_join(join):
        raise JoinNotUndoable
    orders = contact_changes.move_orders(
        join.moved["orders"],
        to_contact_id=join.joined_id,
        reason="the join of two contacts was undone",
        by=by,
        now=now,
    )
    contact_changes.move_proofs(join.moved["proofs"], to_contact_id=join.joined_id)
    contact_joins.undo_join(join, about=[str(order) for order in orders], by=by.label, now=now)
    _log.info("join_undone", join_id=join.pk, by=by.kind)
    return join


def may_undo_join(join: ContactJoin) -> bool:
    """Return whether a join can still be undone; the undo looks again under its locks."""
    order_count = _count_orders(join.kept_id, join.joined_id)
    return contact_joins.is_undoable(join, order_count=order_count)


def _count_orders(*contact_ids: int) -> int:
    return sum(len(contact_changes.list_order_ids(contact_id)) for contact_id in contact_ids)
