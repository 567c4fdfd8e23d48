"""Steps for "how to pay" and "paid", which are understood in every state."""

from collections.abc import Sequence

from shared.conversation.buyer_texts import parsing
from shared.conversation.context import Context
from shared.conversation.facts.values import Facts, OrderFacts
from shared.conversation.flow.screens import answer_with, show_order
from shared.conversation.texts import order_status, receipts
from shared.conversation.values import Step
from shared.core.enums import State


def handle_payment_words(text: str, state: State, context: Context, facts: Facts) -> Step | None:
    """Show the order that "how to pay" or "paid" is about.

    Returns:
        The step, or None for another text, or if no order waits for a payment or is checked.

    """
    says_paid = parsing.says_paid(text)
    if not says_paid and not parsing.asks_how_to_pay(text):
        return None
    wanting, possible = facts.orders_wanting_receipt, list_orders_in_payment(facts)
    if not possible:
        return None
    note = order_status.build_paid_without_proof_note() if says_paid and wanting else ""
    order = _choose_order(possible, context)
    if order is not None:
        understood = context.without_open_question()
        return show_order(order, understood, facts, note=note, pay=not says_paid)
    return answer_with(state, context, receipts.build_pay_which_message(possible, note=note))


def list_orders_in_payment(facts: Facts) -> Sequence[OrderFacts]:
    """Return the orders that words about a payment may mean: due, being checked, or undecided."""
    under_review = [order for order in facts.orders if order.under_review]
    undecided = [order for order in facts.orders if order.needs_decision]
    return facts.orders_wanting_receipt or under_review or undecided


def _choose_order(possible: Sequence[OrderFacts], context: Context) -> OrderFacts | None:
    """Return the only order, or the one that the conversation is about."""
    if len(possible) == 1:
        return possible[0]
    return next((order for order in possible if order.id == context.draft_order_id), None)
