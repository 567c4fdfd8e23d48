"""Brings state and context in line with what became of the buyer's orders meanwhile."""

from shared.conversation.values import Context, Facts, OrderFacts
from shared.core.enums import OrderStatus, State

_CHOOSING_STATES = {State.CHOOSE_MODE, State.ASK_QTY, State.ASK_PICK_NUMBERS}


def reconcile_state(state: State, context: Context, facts: Facts) -> tuple[State, Context]:
    """Give the state that fits the facts: seller, API or clock may have changed them."""
    order = facts.order(context.draft_order_id)
    if state is State.CONFIRM_RESERVATION:
        state, context = _reconcile_confirmation(order, context)
    elif state in {State.WAIT_PROOF, State.DONE}:
        state, context = _reconcile_placed_order(order, context, facts)
    if state in _CHOOSING_STATES and not _is_raffle_on_sale(context, facts):
        return State.MENU, Context(misses=context.misses, asked=context.asked)
    return state, context


def derive_order_state(order: OrderFacts) -> State:
    """Give the state in which a buyer meets this order."""
    if order.status is OrderStatus.DRAFT:
        return State.CONFIRM_RESERVATION
    if order.wants_payment:
        return State.WAIT_PROOF
    if order.under_review or order.status is OrderStatus.PAID:
        return State.DONE
    return State.MENU


def _reconcile_confirmation(order: OrderFacts | None, context: Context) -> tuple[State, Context]:
    if order is None:
        return State.CHOOSE_MODE, context.but(draft_order_id=None)
    state = derive_order_state(order)
    if state is State.MENU:
        return State.CHOOSE_MODE, context.but(draft_order_id=None)
    return state, context


def _reconcile_placed_order(
    order: OrderFacts | None, context: Context, facts: Facts
) -> tuple[State, Context]:
    if order is not None and derive_order_state(order) in {State.WAIT_PROOF, State.DONE}:
        return derive_order_state(order), context
    if facts.wanting_payment:
        return State.WAIT_PROOF, context.but(draft_order_id=facts.wanting_payment[0].id)
    return State.MENU, Context(misses=context.misses, asked=context.asked)


def _is_raffle_on_sale(context: Context, facts: Facts) -> bool:
    return any(raffle.id == context.raffle_id for raffle in facts.raffles)
