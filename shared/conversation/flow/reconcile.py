"""Brings state and context in line with what became of the buyer's orders meanwhile."""

from typing import assert_never

from shared.conversation.values import Context, Facts, OrderFacts
from shared.core.enums import OrderStatus, State


def reconcile_state(state: State, context: Context, facts: Facts) -> tuple[State, Context]:
    """Give the state that fits the facts: seller, API or clock may have changed them."""
    order = facts.order(context.draft_order_id)
    match state:
        case State.MENU:
            return state, context
        case State.CHOOSE_MODE | State.ASK_QTY | State.ASK_PICK_NUMBERS:
            return _reconcile_choice(state, context, facts)
        case State.CONFIRM_RESERVATION:
            return _reconcile_confirmation(order, context, facts)
        case State.WAIT_PROOF | State.DONE:
            return _reconcile_placed_order(order, context, facts)
        case _:
            assert_never(state)


def derive_order_state(order: OrderFacts) -> State:
    """Give the state in which a buyer meets this order."""
    match order.status:
        case OrderStatus.DRAFT:
            return State.CONFIRM_RESERVATION
        case OrderStatus.PENDING_PAYMENT:
            return State.DONE if order.under_review else State.WAIT_PROOF
        case OrderStatus.PAID:
            return State.DONE
        case OrderStatus.CANCELLED | OrderStatus.EXPIRED:
            return State.MENU
        case _:
            assert_never(order.status)


def _reconcile_choice(state: State, context: Context, facts: Facts) -> tuple[State, Context]:
    if not _is_raffle_on_sale(context, facts):
        return State.MENU, Context(misses=context.misses, asked=context.asked)
    return state, context


def _reconcile_confirmation(
    order: OrderFacts | None, context: Context, facts: Facts
) -> tuple[State, Context]:
    state = State.MENU if order is None else derive_order_state(order)
    if state is State.MENU:
        return _reconcile_choice(State.CHOOSE_MODE, context.but(draft_order_id=None), facts)
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
