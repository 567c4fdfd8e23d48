"""Steps for "how to pay" and "paid", which are understood in every state."""

from collections.abc import Sequence

from shared.conversation.context import Context
from shared.conversation.facts.values import Facts, OrderFacts
from shared.conversation.flow.questions import question_topics
from shared.conversation.flow.screens import answer_with, show_order
from shared.conversation.flow.turn import Turn
from shared.conversation.texts import order_status, receipts
from shared.conversation.understanding.intents import Intent
from shared.conversation.values import Step
from shared.core.enums import OrderStatus


def show_how_to_pay(turn: Turn) -> Step:
    """Show how to pay the order that is meant, or how one pays in general."""
    possible = list_orders_in_payment(turn.facts)
    order = turn.order
    is_hold = order is not None and order in possible and order.status is OrderStatus.DRAFT
    if not possible or is_hold:
        return question_topics.answer_question(
            Intent.HOW_TO_PAY, turn.state, turn.context, turn.facts, raffle=turn.named_raffle
        )
    return _show(possible, turn, pay=True)


def handle_paid(turn: Turn) -> Step:
    """Ask a buyer who says that they paid for the receipt, or say what is known of theirs."""
    wanting = turn.facts.orders_wanting_receipt
    possible = list_orders_in_payment(turn.facts)
    if not possible:
        return question_topics.answer_question(Intent.RECEIPT, turn.state, turn.context, turn.facts)
    note = order_status.build_paid_without_proof_note() if wanting else ""
    return _show(possible, turn, note=note, pay=False)


def list_orders_in_payment(facts: Facts) -> Sequence[OrderFacts]:
    """Return the orders that words about a payment may mean: due, being checked, or undecided."""
    under_review = [order for order in facts.orders if order.under_review]
    undecided = [order for order in facts.orders if order.needs_decision]
    return facts.orders_wanting_receipt or under_review or undecided


def _show(possible: Sequence[OrderFacts], turn: Turn, *, pay: bool, note: str = "") -> Step:
    order = _choose_order(possible, turn.context)
    if order is not None:
        return show_order(order, turn.understood, turn.facts, note=note, pay=pay)
    reply = receipts.build_pay_which_message(possible, note=note)
    return answer_with(turn.state, turn.context, reply)


def _choose_order(possible: Sequence[OrderFacts], context: Context) -> OrderFacts | None:
    """Return the only order, or the one that the conversation is about."""
    if len(possible) == 1:
        return possible[0]
    return next((order for order in possible if order.id == context.draft_order_id), None)
