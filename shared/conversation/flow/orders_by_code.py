"""Steps for the code of an order: its screen, an answer about it, or the place of a receipt."""

from collections.abc import Sequence

from shared.conversation.facts.values import OrderFacts
from shared.conversation.flow.questions import question_topics
from shared.conversation.flow.screens import show_order
from shared.conversation.flow.turn import Turn
from shared.conversation.texts import order_status
from shared.conversation.understanding.intent_ranking import QUESTIONS
from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.vocabulary import Doubt
from shared.conversation.values import AssignProof, Step

SHOWN_BY_ORDER = frozenset({Intent.MY_TICKETS, Intent.TOTAL, Intent.HOW_TO_PAY})
"""Questions that the screen of an order answers."""


def handle_order_code(named: Sequence[OrderFacts], turn: Turn) -> Step | None:
    """Return the step for a text with the codes of own orders; None if it is about a draw.

    A question is answered about the order. Without one, the buyer's last picture is placed there,
    or the order is shown.
    """
    order, intent = named[0], turn.reading.intent
    if intent in {Intent.CANCEL, Intent.STOP, Intent.PERSON, Intent.RULES, Intent.RESULTS}:
        return None
    proof_id = turn.facts.unplaced_proof_id
    if order.id in turn.context.proof_order_ids:
        proof_id = turn.context.proof_id or proof_id
    if proof_id is not None and _places_receipt(turn):
        also = tuple(each.id for each in named[1:])
        return Step(turn.state, turn.understood, effect=AssignProof(proof_id, order.id, also))
    if intent in question_topics.ANSWERS and intent in QUESTIONS - SHOWN_BY_ORDER:
        about = turn.context.with_changes(draft_order_id=order.id)
        return question_topics.answer_question(intent, turn.state, about, turn.facts)
    claims_paid = intent is Intent.PAID and order.wants_receipt
    note = order_status.build_paid_without_proof_note() if claims_paid else ""
    pay = intent is Intent.HOW_TO_PAY
    return show_order(order, turn.understood, turn.facts, note=note, pay=pay)


def _places_receipt(turn: Turn) -> bool:
    """Return whether a text with a code says where the last receipt belongs."""
    reading = turn.reading
    return (
        reading.intent in _PLACING
        and not reading.is_question
        and not reading.doubts & {Doubt.NEGATION, Doubt.CONDITION}
    )


_PLACING = frozenset({
    Intent.UNKNOWN, Intent.RECEIPT, Intent.PAID, Intent.ORDER, Intent.YES, Intent.THANKS,
    Intent.GREETING,
})  # fmt: skip
"""What may stand beside the code of the order that a receipt is for."""
