"""Reconciliation of state and context with the buyer's orders, which may have changed."""

from typing import assert_never

from shared.conversation.context import Context
from shared.conversation.facts.values import Facts, OrderFacts
from shared.core.enums import OrderStatus, State


def reconcile_state(state: State, context: Context, facts: Facts) -> tuple[State, Context]:
    """Return the state and context that fit the facts.

    The seller, an API client or the clock may have changed an order since the last message.
    """
    order = facts.find_order(context.draft_order_id)
    match state:
        case State.MENU | State.CHOOSE_MODE | State.ASK_QTY | State.ASK_PICK_NUMBERS:
            pass
        case State.CONFIRM_RESERVATION:
            state, context = _reconcile_confirmation(order, context)
        case State.WAIT_PROOF | State.DONE:
            state, context = _reconcile_placed_order(order, context, facts)
        case _:
            assert_never(state)
    if _needs_raffle_on_sale(state) and not _is_raffle_on_sale(context, facts):
        return State.MENU, _keep_question(context)
    return state, context


def derive_order_state(order: OrderFacts) -> State:
    """Return the state that fits an order; MENU if it ended and nothing is open about it."""
    match order.status:
        case OrderStatus.DRAFT:
            return State.CONFIRM_RESERVATION
        case OrderStatus.PENDING_PAYMENT if order.wants_payment:
            return State.WAIT_PROOF
        case OrderStatus.PENDING_PAYMENT | OrderStatus.PAID:
            return State.DONE
        case OrderStatus.CANCELLED | OrderStatus.EXPIRED:
            return State.DONE if order.under_review or order.needs_decision else State.MENU
        case _:
            assert_never(order.status)


def _needs_raffle_on_sale(state: State) -> bool:
    match state:
        case State.CHOOSE_MODE | State.ASK_QTY | State.ASK_PICK_NUMBERS:
            return True
        case State.MENU | State.CONFIRM_RESERVATION | State.WAIT_PROOF | State.DONE:
            return False
        case _:
            assert_never(state)


def _reconcile_confirmation(order: OrderFacts | None, context: Context) -> tuple[State, Context]:
    state = derive_order_state(order) if order is not None else State.MENU
    if state is State.MENU:
        return State.CHOOSE_MODE, context.with_changes(draft_order_id=None)
    return state, context


def _reconcile_placed_order(
    order: OrderFacts | None, context: Context, facts: Facts
) -> tuple[State, Context]:
    if order is not None:
        state = derive_order_state(order)
        if state in {State.WAIT_PROOF, State.DONE}:
            return state, context
    if facts.orders_wanting_payment:
        unpaid = facts.orders_wanting_payment[0]
        return State.WAIT_PROOF, context.with_changes(draft_order_id=unpaid.id)
    return State.MENU, _keep_question(context)


def _keep_question(context: Context) -> Context:
    """Return an empty context that keeps the misses and the open question."""
    return Context(misses=context.misses, yes_button_id=context.yes_button_id)


def _is_raffle_on_sale(context: Context, facts: Facts) -> bool:
    return any(raffle.id == context.raffle_id for raffle in facts.raffles)
