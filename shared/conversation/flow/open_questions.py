"""Answers to the open question: a yes or no, an age, numbers to give back, a receipt's order."""

from collections.abc import Sequence

from shared.conversation import button_ids
from shared.conversation.button_ids import ButtonAction, ButtonId
from shared.conversation.facts.values import OrderFacts
from shared.conversation.flow import age, commands
from shared.conversation.flow.buttons import handle_tap
from shared.conversation.flow.numbers import number_changes
from shared.conversation.flow.screens import answer_with, repeat_prompt
from shared.conversation.flow.turn import Turn
from shared.conversation.texts import receipts
from shared.conversation.understanding import order_names
from shared.conversation.understanding.intent_ranking import QUESTIONS
from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.vocabulary import Doubt
from shared.conversation.values import AssignProof, Step

_NO_ANSWERS = (Intent.NO, Intent.KEEP, Intent.LATER, Intent.CANCEL, Intent.GIVE_UP)
"""Intents beside which a name does not say where a receipt belongs."""

ALWAYS_UNDERSTOOD = QUESTIONS | {
    Intent.MENU,
    Intent.HELP,
    Intent.CANCEL,
    Intent.STOP,
    Intent.START,
    Intent.PERSON,
}
"""What is never an answer to a question of the bot."""


def close_question(turn: Turn) -> Turn:
    """Return the turn with the open yes-or-no question closed: the text was no answer to it.

    A question that is asked back, such as for the rules, leaves it open.
    """
    return turn if turn.reading.intent in ALWAYS_UNDERSTOOD else turn.without_question()


def handle_answer(turn: Turn) -> Step | None:
    """Return the step for an answer to the open question; None without one, or for other texts."""
    tap = button_ids.parse_button_id(turn.context.yes_button_id)
    if turn.reading.intent in ALWAYS_UNDERSTOOD and not (
        turn.reading.intent is Intent.CANCEL
        and tap is not None
        and tap.action is ButtonAction.CANCEL_SURELY
    ):
        return None
    if tap is not None:
        if tap.action is ButtonAction.ADULT:
            return age.handle_answer(turn, raffle_id=tap.values[0])
        if tap.action is ButtonAction.GIVE_BACK:
            return _handle_numbers_to_give_back(turn, tap) or _handle_yes_or_no(turn)
        return _handle_yes_or_no(turn)
    if turn.context.proof_id is not None:
        return _handle_order_of_proof(turn)
    return None


def _handle_yes_or_no(turn: Turn) -> Step | None:
    """Return the step for a yes, which stands for a tap, or for a no."""
    intent = turn.reading.intent
    tap = button_ids.parse_button_id(turn.context.yes_button_id)
    cancels = tap is not None and tap.action is ButtonAction.CANCEL_SURELY
    if intent is Intent.YES or (cancels and intent in {Intent.CANCEL, Intent.GIVE_UP}):
        if turn.reading.has_doubts_but(Doubt.MISSPELT):
            return repeat_prompt(turn.state, turn.understood, turn.facts)
        return handle_tap(turn.context.yes_button_id, turn.state, turn.context, turn.facts)
    if intent not in {Intent.NO, Intent.KEEP}:
        return None
    if tap is not None and tap.action in {ButtonAction.NUMBERS, ButtonAction.QUANTITY}:
        order = turn.facts.find_draft(tap.subject_id)
    else:
        order = turn.facts.find_order(tap.subject_id) if tap is not None else None
    if order is None:
        return repeat_prompt(turn.state, turn.understood, turn.facts)
    return commands.keep_order(order, turn.state, turn.context, turn.facts)


def _handle_numbers_to_give_back(turn: Turn, tap: ButtonId) -> Step | None:
    """Return the step for the answer to which numbers are to be given back."""
    order, wish = turn.facts.find_order(tap.subject_id), turn.reading.wish
    if order is None or wish is None or turn.reading.intent is not Intent.TAKE:
        return None
    group, is_unsure = wish.take, bool(turn.reading.doubts) or turn.reading.is_question
    if group is None or is_unsure or not set(group.values) <= set(order.numbers):
        return number_changes.ask_which_to_drop(order, turn.context, turn.facts)
    return number_changes.drop_numbers(group.values, order, turn.context, turn.facts)


def _handle_order_of_proof(turn: Turn) -> Step | None:
    """Return the step for a text that says for which order a receipt is."""
    found = map(turn.facts.find_order, turn.context.proof_order_ids)
    candidates = [order for order in found if order is not None]
    if turn.context.proof_id is None or not candidates:
        return None
    index = _find_meant_order(turn, candidates)
    if index is not None:
        order = candidates[index]
        return Step(
            turn.state, turn.understood, effect=AssignProof(turn.context.proof_id, order.id)
        )
    if turn.reading.wish is not None:
        # A number must not be taken for something else while this question is open.
        return repeat_prompt(turn.state, turn.context, turn.facts)
    if turn.reading.intent in {Intent.NO, Intent.KEEP}:
        seller = turn.facts.find_seller_contact(turn.context.raffle_id)
        return answer_with(turn.state, turn.context, receipts.build_kept_for_seller_message(seller))
    return None


def _find_meant_order(turn: Turn, candidates: Sequence[OrderFacts]) -> int | None:
    """Return the place of the order that is named by its raffle, numbers, amount or place."""
    if turn.reading.is_question or turn.reading.has(*_NO_ANSWERS):
        return None
    named = turn.named_raffle
    by_name = [at for at, order in enumerate(candidates) if named and order.raffle.id == named.id]
    if len(by_name) == 1:
        return by_name[0]
    choice = order_names.parse_order_choice(
        turn.text,
        totals=[order.total for order in candidates],
        titles=[order.raffle.title for order in candidates],
    )
    if choice.index is not None or turn.reading.wish is None:
        return choice.index
    wish = turn.reading.wish
    is_certain = wish.take is not None and wish.take.is_certain
    numbers = set(wish.take.values) if wish.take is not None and is_certain else set[int]()
    fitting = [
        at
        for at, order in enumerate(candidates)
        if (wish.money is not None and order.total == wish.money)
        or (numbers and numbers <= set(order.numbers))
    ]
    return fitting[0] if len(fitting) == 1 else None
