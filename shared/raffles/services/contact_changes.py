"""Orders and payment proofs that move between two contacts of the same person."""

from collections.abc import Collection
from datetime import datetime

from shared.core.enums import OrderAction
from shared.raffles.actor import Actor
from shared.raffles.models import Order, PaymentProof
from shared.raffles.services import history, locks


def move_orders(
    ids: Collection[int], *, to_contact_id: int, reason: str, by: Actor, now: datetime
) -> list[Order]:
    """Lock orders and give them to another contact of their buyer, with a history entry each.

    Nothing else about them changes: not the numbers, the price, the clock or the status.

    Args:
        ids: the orders; their contacts are locked by the caller.
        to_contact_id: the contact that gets them.
        reason: the reason as the history shows it.
        by: the author.
        now: the present time.

    """
    orders = locks.lock_orders(Order.objects.filter(pk__in=ids))
    for order in orders:
        history.record_order_event(
            order,
            action=OrderAction.CONTACT_CHANGED,
            by=by,
            now=now,
            reason=reason,
            changes={"contact_id": to_contact_id},
        )
    return orders


def move_proofs(ids: Collection[int], *, to_contact_id: int) -> None:
    """Lock payment proofs and give them to another contact of their sender."""
    proofs = PaymentProof.objects.filter(pk__in=ids)
    list(proofs.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    proofs.update(contact_id=to_contact_id)


def list_order_ids(contact_id: int) -> list[int]:
    """Return the ids of a contact's orders in ascending order."""
    orders = Order.objects.filter(contact_id=contact_id)
    return list(orders.order_by("pk").values_list("pk", flat=True))


def list_proof_ids(contact_id: int) -> list[int]:
    """Return the ids of the payment proofs that a contact sent, in ascending order."""
    proofs = PaymentProof.objects.filter(contact_id=contact_id)
    return list(proofs.order_by("pk").values_list("pk", flat=True))
