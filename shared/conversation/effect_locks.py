"""Locks of effects for several buyers, taken before the first of them is carried out.

Locks that may wait come first, each kind in ascending order: orders, raffles (shared), chosen and
returned ticket numbers, messages that are withdrawn, receipt chains of free orders that are placed.
Random ticket numbers are locked afterwards, without waiting. So no transaction waits for one that
waits for it. See `raffles.services.locks`.
"""

from collections.abc import Collection, Mapping, Sequence

from django.db import connection

from shared.conversation.values import (
    CancelOwnOrder,
    Effect,
    HoldNumbers,
    HoldRandom,
    PlaceOrder,
)
from shared.raffles.models import Order
from shared.raffles.services import locks, tickets
from shared.raffles.services.queries import order_queries
from shared.whatsapp.services.outbox import outbox_queue


def lock_rows_of_effects(effects: Sequence[tuple[int, Effect]]) -> None:
    """Lock what holds, placed orders and cancellations of several buyers are going to change.

    Args:
        effects: each with the id of its contact, which is locked.

    """
    if not connection.features.has_select_for_update:
        return  # one writer at a time
    holds = [
        (contact_id, effect)
        for contact_id, effect in effects
        if isinstance(effect, HoldRandom | HoldNumbers)
    ]
    changed = locks.lock_orders_by_id(_find_changed_orders(effects, holds))
    locks.lock_raffles_shared(
        {effect.raffle_id for _, effect in holds} | {each.raffle_id for each in changed.values()}
    )
    locks.lock_tickets_by_raffle(_list_ticket_numbers(changed.values(), holds))
    outbox_queue.lock_unarrived_messages(
        {contact_id for contact_id, _ in effects}, about=[str(each) for each in changed.values()]
    )
    locks.lock_receipt_chains(_list_raffles_with_free_sales(effects, changed))


def _find_changed_orders(
    effects: Sequence[tuple[int, Effect]], holds: Sequence[tuple[int, HoldRandom | HoldNumbers]]
) -> set[int]:
    """Return the ids of the orders that are placed, cancelled, or replaced by a hold."""
    drafts = order_queries.list_replaceable_drafts(
        [(contact_id, effect.raffle_id) for contact_id, effect in holds]
    )
    named = {
        effect.order_id for _, effect in effects if isinstance(effect, PlaceOrder | CancelOwnOrder)
    }
    replaced = {effect.replacing for _, effect in holds if effect.replacing is not None}
    return named | replaced | {draft.pk for draft in drafts}


def _list_raffles_with_free_sales(
    effects: Sequence[tuple[int, Effect]], changed: Mapping[int, Order]
) -> set[int]:
    """Return the ids of the raffles of orders that are sold by placing them."""
    placed = {effect.order_id for _, effect in effects if isinstance(effect, PlaceOrder)}
    return {order.raffle_id for order in changed.values() if order.pk in placed and not order.total}


def _list_ticket_numbers(
    changed: Collection[Order], holds: Sequence[tuple[int, HoldRandom | HoldNumbers]]
) -> Mapping[int, set[int]]:
    """Return the ticket numbers that orders hold and buyers chose, by raffle id."""
    held = tickets.list_held_ticket_numbers_by_raffle(list(changed))
    numbers = {raffle_id: set(some) for raffle_id, some in held.items()}
    for _, effect in holds:
        if isinstance(effect, HoldNumbers):
            chosen = numbers.setdefault(effect.raffle_id, set())
            chosen.update(effect.numbers, effect.otherwise)
    return numbers
