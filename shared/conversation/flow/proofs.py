"""Steps for pictures: the order they belong to, and the acknowledgement."""

from shared.conversation.context import Context
from shared.conversation.flow.screens import answer_with
from shared.conversation.texts import orders
from shared.conversation.values import (
    Facts,
    KeepProof,
    OrderFacts,
    ProofAddedToOrder,
    ProofWithoutOrder,
    Step,
)
from shared.core.enums import OrderStatus, State


def handle_picture(order_id: int | None, state: State, context: Context, facts: Facts) -> Step:
    """Store a picture for the order it replies to, or for the only one that wants a proof."""
    order = facts.find_order(order_id) or _find_order_for_picture(facts)
    effect = KeepProof(order.id if order else None)
    return Step(state, context.without_open_question(), effect=effect)


def _find_order_for_picture(facts: Facts) -> OrderFacts | None:
    """Return the order that wants a proof, or else one under review, a hold, or the newest.

    Returns:
        The order, or None if there is none or several orders or holds are possible.

    """
    wanting = facts.orders_wanting_proof
    if wanting:
        return wanting[0] if len(wanting) == 1 else None
    drafts = [order for order in facts.orders if order.status is OrderStatus.DRAFT]
    under_review = [order for order in facts.orders if order.under_review]
    if under_review:
        return under_review[-1]
    if drafts:
        return drafts[0] if len(drafts) == 1 else None
    return max(facts.orders, key=lambda order: order.id, default=None)


def acknowledge_proof(added: ProofAddedToOrder, context: Context, facts: Facts) -> Step:
    """Acknowledge a proof that was stored for an order."""
    order = facts.find_order(added.order_id)
    about_order = context.without_open_question().with_changes(draft_order_id=added.order_id)
    if order is None:
        return Step(State.DONE, about_order)
    about_order = about_order.with_changes(raffle_id=order.raffle.id)
    if added.late:
        state = State.DONE if added.secured else State.MENU
        if added.quiet and not added.secured:
            return Step(state, about_order)
        reply = orders.build_late_proof_message(order, secured=added.secured)
        return answer_with(state, about_order, reply)
    if added.first:
        return answer_with(State.DONE, about_order, orders.build_proof_received_message(order))
    if added.quiet:
        return Step(State.DONE, about_order)
    return answer_with(State.DONE, about_order, orders.build_proof_added_message(order))


def handle_proof_without_order(
    stored: ProofWithoutOrder, state: State, context: Context, facts: Facts
) -> Step:
    """Ask which order a picture is for, or acknowledge it if there is no order to choose."""
    understood = context.without_open_question()
    if stored.quiet:
        return Step(state, understood)
    candidates = facts.orders_wanting_proof or facts.live_orders
    if candidates:
        reply = orders.build_which_order_message(stored.proof_id, candidates)
    else:
        reply = orders.build_orphan_proof_message(facts.find_seller_contact(context.raffle_id))
    return answer_with(state, understood, reply)
