"""The rule that nothing is held, ordered or cancelled while a text may mean something else.

A negation, an "if", a number or a word that was not read: whatever step the rest of the text leads
to, the bot asks first. A yes, or a tap, then does it.
"""

from typing import Final

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.facts.values import RaffleFacts
from shared.conversation.flow import reserve
from shared.conversation.flow.screens import repeat_prompt
from shared.conversation.flow.turn import Turn
from shared.conversation.texts import number_questions, orders
from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.vocabulary import Doubt
from shared.conversation.values import (
    CancelOwnOrder,
    HoldNumbers,
    HoldRandom,
    PlaceOrder,
    Reply,
    Step,
)
from shared.core.enums import State


MAX_HARMLESS_WORDS: Final = 3
"""Unread words that are overlooked where what was asked for is plain to see."""


_CHANGES: Final = frozenset({Intent.ADD, Intent.DROP, Intent.SWAP})


def ask_instead_of_acting(step: Step, turn: Turn) -> Step:
    """Return a step, or the question whether it is meant if the text is in doubt."""
    if not turn.reading.doubts or _is_plain(step, turn):
        return step
    match step.effect:
        case HoldRandom(raffle_id, quantity):
            raffle = turn.facts.find_raffle(raffle_id)
            if raffle is None:
                return repeat_prompt(turn.state, turn.understood, turn.facts)
            reply = number_questions.build_random_surely_message(
                raffle, quantity, hold=turn.facts.find_draft(raffle_id)
            )
            return _ask(reply, raffle, turn)
        case HoldNumbers(raffle_id, numbers):
            raffle = turn.facts.find_raffle(raffle_id)
            if raffle is None:
                return repeat_prompt(turn.state, turn.understood, turn.facts)
            hold = turn.facts.find_draft(raffle_id)
            if hold is not None:
                reply = number_questions.build_add_or_replace_message(hold, numbers)
            else:
                reply = number_questions.build_these_numbers_message(raffle, numbers)
            return _ask(reply, raffle, turn)
        case PlaceOrder():
            return repeat_prompt(turn.state, turn.understood, turn.facts)
        case CancelOwnOrder(order_id):
            order = turn.facts.find_order(order_id)
            if order is None:
                return repeat_prompt(turn.state, turn.understood, turn.facts)
            asking = turn.understood.with_changes(
                yes_button_id=build_button_id(ButtonAction.CANCEL_SURELY, order_id)
            )
            return Step(
                turn.state,
                asking,
                replies=(orders.build_cancel_surely_message(order, is_certain=False),),
            )
        case _:
            return step


def _is_plain(step: Step, turn: Turn) -> bool:
    """Return whether only a few unknown words are in doubt beside a plain wish or a yes.

    A cancellation is never plain with a word that was not read.
    """
    reading = turn.reading
    if reading.has_doubts_but(Doubt.UNREAD_WORDS) or len(reading.unread) > MAX_HARMLESS_WORDS:
        return False
    wish = reading.wish
    match step.effect:
        case HoldRandom():
            group = wish.take if wish is not None else None
            is_counted = group is not None and (group.is_counted or wish.is_random)
            return turn.state is State.ASK_QTY or is_counted
        case HoldNumbers():
            return turn.state is State.ASK_PICK_NUMBERS or reading.intent in _CHANGES
        case PlaceOrder():
            return reading.intent is Intent.YES
        case _:
            return False


def _ask(reply: Reply, raffle: RaffleFacts, turn: Turn) -> Step:
    return reserve.ask_with_question(reply, raffle, turn.state, turn.context)
