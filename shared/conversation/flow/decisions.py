"""The table of decisions: what is done about each intent in each state.

Every intent has a handler for every state. Most do the same everywhere; where a state has something
of its own, its handler is named in `HANDLERS`.
"""

from collections.abc import Callable, Mapping
from typing import Final

from shared.conversation.context import Context
from shared.conversation.facts.values import RaffleFacts
from shared.conversation.flow import age, commands, handover, inquiries, opt_out, reserve
from shared.conversation.flow.numbers.number_wishes import handle_number_wish
from shared.conversation.flow.payment_words import handle_paid, show_how_to_pay
from shared.conversation.flow.questions import question_topics
from shared.conversation.flow.screens import (
    answer_with,
    ask_to_rephrase,
    repeat_prompt,
    show_menu,
    show_order,
    show_raffle_card,
)
from shared.conversation.flow.turn import Turn
from shared.conversation.texts import orders
from shared.conversation.understanding import order_names
from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.numbers.number_patterns import NumberPattern
from shared.conversation.understanding.text_normalization import normalize_text
from shared.conversation.values import LookUpFreeNumbers, PlaceOrder, Step
from shared.core.enums import State

type Handler = Callable[[Turn], Step]


def decide(turn: Turn) -> Step:
    """Return the step for a text, by what it means and where the buyer is."""
    return HANDLERS[turn.reading.intent][turn.state](turn)


def _everywhere(handler: Handler, **others: Handler) -> Mapping[State, Handler]:
    """Return a row of the table: a handler for all states, and others by the names of states."""
    return {state: others.get(state.name, handler) for state in State}


# ── small talk and answers ───────────────────────────────────────────────────────────────────────


def _repeat(turn: Turn) -> Step:
    return repeat_prompt(turn.state, turn.understood, turn.facts)


def _show_menu(turn: Turn) -> Step:
    return show_menu(turn.facts)


def _answer(turn: Turn) -> Step:
    wish = turn.reading.wish
    group = wish.take if wish is not None else None
    is_quantity = group is not None and group.is_single and not group.is_marked
    return question_topics.answer_question(
        turn.reading.intent,
        turn.state,
        turn.context,
        turn.facts,
        raffle=turn.named_raffle,
        quantity=group.values[0] if group is not None and is_quantity else None,
    )


def _confirm(turn: Turn) -> Step:
    order = turn.order
    if order is None:
        return show_menu(turn.facts)
    return Step(State.CONFIRM_RESERVATION, turn.understood, effect=PlaceOrder(order.id))


def _ask_what_instead(turn: Turn) -> Step:
    order = turn.order
    if order is None:
        return show_menu(turn.facts)
    reply = orders.build_what_instead_message(order, now=turn.facts.now)
    return answer_with(turn.state, turn.context, reply)


def _say_later(turn: Turn) -> Step:
    return question_topics.answer_question(Intent.LATER, turn.state, turn.context, turn.facts)


def _answer_thanks(turn: Turn) -> Step:
    """Answer a thank-you; a late payment that waits for a decision is named all the same."""
    order = turn.order
    if order is not None and order.needs_decision:
        return show_order(order, turn.understood, turn.facts)
    return _answer(turn)


def _answer_change(turn: Turn) -> Step:
    return question_topics.answer_question(Intent.CHANGE, turn.state, turn.context, turn.facts)


def _ask_whether_to_cancel(turn: Turn) -> Step:
    """Ask a buyer who would rather not whether to cancel; without an order, there is no need."""
    live = turn.facts.live_orders
    if not live:
        return _say_later(turn)
    if len(live) > 1:
        return answer_with(turn.state, turn.context, orders.build_cancel_which_message(live))
    return commands.cancel_or_ask_first(live[0], turn.state, turn.context, is_certain=False)


# ── buying ───────────────────────────────────────────────────────────────────────────────────────


def _show_what_to_buy(turn: Turn) -> Step:
    """Show the raffle that is named, or those on sale."""
    raffle = turn.named_raffle
    if raffle is not None:
        return show_raffle_card(raffle, Context(), turn.facts)
    return show_menu(turn.facts)


def _show_card(turn: Turn) -> Step:
    raffle = turn.raffle
    if raffle is None:
        return show_menu(turn.facts)
    return show_raffle_card(raffle, Context(), turn.facts)


def _show_named_or_repeat(turn: Turn) -> Step:
    raffle = turn.named_raffle
    if raffle is not None and raffle.id != turn.context.raffle_id:
        return show_raffle_card(raffle, Context(), turn.facts)
    return _repeat(turn)


def _ask_quantity(turn: Turn) -> Step:
    raffle = turn.raffle
    if raffle is None:
        return show_menu(turn.facts)
    return reserve.ask_quantity(raffle, turn.context)


def _take_asked_or_ask_quantity(turn: Turn) -> Step:
    """Take the number of the question whether it is a quantity, to which "random" is an answer."""
    raffle, context = turn.raffle, turn.context
    if raffle is None or raffle.id != context.raffle_id or context.mode is not None:
        return _ask_quantity(turn)
    if context.qty is None:
        return _ask_quantity(turn)
    return reserve.hold_random(raffle, context.qty, context, turn.facts)


def _ask_numbers(turn: Turn) -> Step:
    raffle = turn.raffle
    if raffle is None:
        return show_menu(turn.facts)
    return reserve.ask_numbers(raffle, turn.context)


def _replace_numbers(turn: Turn) -> Step:
    order = turn.order
    if order is None:
        return show_menu(turn.facts)
    return reserve.offer_other_numbers(order, turn.context)


def _show_free_numbers(turn: Turn) -> Step:
    raffle = turn.raffle
    if raffle is None:
        return show_menu(turn.facts)
    lookup = LookUpFreeNumbers(raffle.id, NumberPattern())
    return Step(turn.state, turn.understood, lookup=lookup)


# ── what they have ───────────────────────────────────────────────────────────────────────────────


def _show_order_or_tickets(turn: Turn) -> Step:
    """Show the order that the conversation is about."""
    order = turn.order
    if order is None:
        return _show_my_tickets(turn)
    return show_order(order, turn.understood, turn.facts)


def _show_my_tickets(turn: Turn) -> Step:
    return commands.show_my_tickets(turn.state, turn.context, turn.facts)


def _verify(turn: Turn) -> Step:
    group = turn.reading.wish.take if turn.reading.wish is not None else None
    is_number = group is not None and group.is_single and not group.is_counted
    number = group.values[0] if group is not None and is_number else None
    return inquiries.handle_verify(number, turn.state, turn.context, turn.facts)


# ── not understood ───────────────────────────────────────────────────────────────────────────────


def _find_raffle_by_place(turn: Turn) -> RaffleFacts | None:
    """Return the raffle of the list that is named by its place: "2", "the first one"."""
    raffles = turn.facts.raffles
    if turn.state is not State.MENU or len(raffles) < 2:  # noqa: PLR2004 - no list without two
        return None
    words = normalize_text(turn.text).split()
    if len(words) == 1 and words[0].isdecimal():
        place: int | None = int(words[0]) - 1 if len(words[0]) < 3 else None  # noqa: PLR2004
    else:
        place = order_names.parse_place(words, count=len(raffles))
    return raffles[place] if place is not None and 0 <= place < len(raffles) else None


def _take(turn: Turn) -> Step:
    chosen = _find_raffle_by_place(turn)
    if chosen is not None:
        return show_raffle_card(chosen, Context(), turn.facts)
    return handle_number_wish(turn)


def _ask_again(turn: Turn) -> Step:
    """Repeat the question; a first message counts as a greeting, whatever it says."""
    chosen = _find_raffle_by_place(turn)
    if chosen is not None:
        return show_raffle_card(chosen, Context(), turn.facts)
    if turn.state is State.MENU and not turn.context.misses:
        return show_menu(turn.facts, misses=1)
    return ask_to_rephrase(turn.state, turn.context, turn.facts)


_ANSWER: Final = _everywhere(_answer)

HANDLERS: Final[Mapping[Intent, Mapping[State, Handler]]] = {
    Intent.MENU: _everywhere(lambda turn: commands.reset_to_menu(turn.facts)),
    Intent.HELP: _everywhere(
        lambda turn: commands.handle_help(turn.state, turn.context, turn.facts)
    ),
    Intent.HOW_IT_WORKS: _ANSWER,
    Intent.CANCEL: _everywhere(commands.handle_cancel),
    Intent.GIVE_UP: _everywhere(_ask_whether_to_cancel),
    Intent.STOP: _everywhere(lambda turn: opt_out.stop(turn.state, turn.context, turn.facts)),
    Intent.START: _everywhere(lambda turn: opt_out.start(turn.facts)),
    Intent.PERSON: _everywhere(
        lambda turn: handover.ask_for_person(turn.state, turn.context, turn.facts)
    ),
    Intent.GREETING: _everywhere(_repeat, MENU=_show_menu, CHOOSE_MODE=_show_card, DONE=_show_menu),
    Intent.FOREIGN_GREETING: _ANSWER,
    Intent.THANKS: _everywhere(_answer, DONE=_answer_thanks),
    Intent.LATER: _ANSWER,
    Intent.YES: _everywhere(_repeat, CONFIRM_RESERVATION=_confirm, WAIT_PROOF=handle_paid),
    Intent.NO: _everywhere(_repeat, CONFIRM_RESERVATION=_ask_what_instead),
    Intent.UNSURE: _everywhere(_repeat, CONFIRM_RESERVATION=_ask_what_instead),
    Intent.KEEP: _everywhere(_repeat),
    Intent.ADULT: _everywhere(_repeat),
    Intent.MINOR: _everywhere(_repeat),
    Intent.BUY: _everywhere(
        _show_what_to_buy,
        ASK_QTY=_show_named_or_repeat,
        ASK_PICK_NUMBERS=_show_named_or_repeat,
        CONFIRM_RESERVATION=_show_named_or_repeat,
    ),
    Intent.RANDOM: _everywhere(_ask_quantity, CHOOSE_MODE=_take_asked_or_ask_quantity),
    Intent.PICK: _everywhere(_ask_numbers),
    Intent.TAKE: _everywhere(_take),
    Intent.ADD: _everywhere(handle_number_wish),
    Intent.DROP: _everywhere(handle_number_wish),
    Intent.SWAP: _everywhere(handle_number_wish),
    Intent.EITHER: _everywhere(handle_number_wish),
    Intent.LIKE: _everywhere(handle_number_wish),
    Intent.SPEND: _everywhere(handle_number_wish),
    Intent.OTHER_NUMBERS: _everywhere(
        _ask_again,
        MENU=_show_menu,
        CHOOSE_MODE=_show_card,
        ASK_QTY=_repeat,
        ASK_PICK_NUMBERS=_repeat,
        CONFIRM_RESERVATION=_replace_numbers,
        WAIT_PROOF=_answer_change,
        DONE=_answer_change,
    ),
    Intent.CHOOSE_RAFFLE: _everywhere(_show_card),
    Intent.MY_TICKETS: _everywhere(_show_my_tickets),
    Intent.ORDER: _everywhere(_show_order_or_tickets),
    Intent.ORDER_CHOICE: _everywhere(_ask_again),
    Intent.PAID: _everywhere(handle_paid),
    Intent.PRICE: _ANSWER,
    Intent.TOTAL: _ANSWER,
    Intent.PRIZE: _ANSWER,
    Intent.DRAW_DATE: _ANSWER,
    Intent.RULES: _everywhere(
        lambda turn: inquiries.handle_rules(turn.state, turn.context, turn.facts)
    ),
    Intent.LEFT: _ANSWER,
    Intent.WHICH_FREE: _everywhere(_show_free_numbers),
    Intent.IS_FREE: _everywhere(handle_number_wish),
    Intent.LIMITS: _ANSWER,
    Intent.HOW_TO_PAY: _everywhere(show_how_to_pay),
    Intent.RECEIPT: _ANSWER,
    Intent.REAL: _ANSWER,
    Intent.RESULTS: _everywhere(
        lambda turn: inquiries.look_up_results(
            turn.state, age.close_other_questions(turn.context), turn.facts
        )
    ),
    Intent.VERIFY: _everywhere(_verify),
    Intent.REFUND: _ANSWER,
    Intent.CHANGE: _ANSWER,
    Intent.CAN_CANCEL: _ANSWER,
    Intent.MORE_TIME: _ANSWER,
    Intent.LATE: _ANSWER,
    Intent.DELIVERY: _ANSWER,
    Intent.PRIVACY: _ANSWER,
    Intent.BOT: _ANSWER,
    Intent.SELLER: _ANSWER,
    Intent.AGE: _ANSWER,
    Intent.LANGUAGE: _ANSWER,
    Intent.RAFFLES: _ANSWER,
    Intent.CHANCES: _ANSWER,
    Intent.UNKNOWN: _everywhere(_ask_again),
}
"""The handler of each intent in each state."""
