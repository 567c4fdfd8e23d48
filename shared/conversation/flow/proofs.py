"""Which order a picture belongs to, and what its sender hears."""

from shared.conversation.flow.screens import answer_with
from shared.conversation.texts import orders
from shared.conversation.values import (
    Context,
    Facts,
    KeepProof,
    OrderFacts,
    ProofAddedToOrder,
    ProofWithoutOrder,
    Step,
)
from shared.core.enums import OrderStatus, State


def handle_picture(order_id: int | None, state: State, context: Context, facts: Facts) -> Step:
    """Find a picture's order: the one it replies to, else the only one that wants it."""
    order = facts.order(order_id) or _find_order_for_picture(facts)
    return Step(state, context.understood(), effect=KeepProof(order.id if order else None))


def _find_order_for_picture(facts: Facts) -> OrderFacts | None:
    wanting = facts.wanting_proof
    if wanting:
        return wanting[0] if len(wanting) == 1 else None
    drafts = [order for order in facts.orders if order.status is OrderStatus.DRAFT]
    reviewed = [order for order in facts.orders if order.under_review]
    if reviewed:
        return reviewed[-1]
    if drafts:
        return drafts[0] if len(drafts) == 1 else None
    return max(facts.orders, key=lambda order: order.id, default=None)


def acknowledge_proof(event: ProofAddedToOrder, context: Context, facts: Facts) -> Step:
    """Acknowledge a proof that was kept for an order."""
    order = facts.order(event.order_id)
    known = context.understood().but(draft_order_id=event.order_id)
    if order is None:
        return Step(State.DONE, known)
    known = known.but(raffle_id=order.raffle.id)
    if event.late:
        state = State.DONE if event.secured else State.MENU
        return answer_with(
            state, known, orders.build_late_proof_message(order, secured=event.secured)
        )
    if event.first:
        return answer_with(State.DONE, known, orders.build_proof_received_message(order))
    if event.quiet:
        return Step(State.DONE, known)
    return answer_with(State.DONE, known, orders.build_proof_added_message(order))


def handle_proof_without_order(
    event: ProofWithoutOrder, state: State, context: Context, facts: Facts
) -> Step:
    """Ask whose it is, or say that it is kept."""
    known = context.understood()
    if event.quiet:
        return Step(state, known)
    candidates = facts.wanting_proof or facts.live_orders
    if candidates:
        return answer_with(
            state, known, orders.build_which_order_message(event.proof_id, candidates)
        )
    raffle = facts.raffle(context.raffle_id)
    return answer_with(
        state, known, orders.build_orphan_proof_message(raffle.seller if raffle else facts.seller)
    )
