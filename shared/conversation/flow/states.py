"""Handlers of free text, one for each state; commands are handled before."""

from typing import assert_never

from shared.conversation.buyer_texts import parsing
from shared.conversation.context import Context
from shared.conversation.facts.values import Facts, OrderFacts, RaffleFacts
from shared.conversation.flow import reserve
from shared.conversation.flow.reserve import BareNumberMeaning
from shared.conversation.flow.screens import (
    answer_with,
    ask_to_rephrase,
    repeat_prompt,
    show_menu,
    show_order,
    show_raffle_card,
)
from shared.conversation.texts import guidance, order_status, orders
from shared.conversation.values import HoldRandom, PlaceOrder, Step
from shared.core.enums import Mode, State


def handle_text(state: State, context: Context, text: str, facts: Facts) -> Step:
    """Return the step for a text that is no command."""
    match state:
        case State.MENU:
            return _handle_menu_text(context, text, facts)
        case State.CHOOSE_MODE:
            return _handle_mode_text(context, text, facts)
        case State.ASK_QTY:
            return _handle_number_question_text(
                state, context, text, facts, bare=BareNumberMeaning.QUANTITY
            )
        case State.ASK_PICK_NUMBERS:
            return _handle_number_question_text(
                state, context, text, facts, bare=BareNumberMeaning.TICKET
            )
        case State.CONFIRM_RESERVATION:
            return _handle_confirmation_text(context, text, facts)
        case State.WAIT_PROOF:
            return _handle_wait_proof_text(context, text, facts)
        case State.DONE:
            return _handle_done_text(context, text, facts)
        case _:
            assert_never(state)


def offer_other_numbers(order: OrderFacts, context: Context) -> Step:
    """Replace the numbers of a hold: random ones are drawn again, picked ones are asked for."""
    raffle = order.raffle
    match order.mode:
        case Mode.RANDOM:
            chosen = context.without_open_question().with_changes(
                raffle_id=raffle.id, mode=Mode.RANDOM, qty=len(order.numbers)
            )
            effect = HoldRandom(raffle.id, len(order.numbers), replacing=order.id)
            return Step(State.CONFIRM_RESERVATION, chosen, effect=effect)
        case Mode.PICK:
            return reserve.ask_numbers(raffle, context)
        case _:
            assert_never(order.mode)


def _handle_menu_text(context: Context, text: str, facts: Facts) -> Step:
    if len(facts.raffles) == 1:
        step = _interpret_words(facts.raffles[0], text, State.MENU, Context(), facts)
        if step is not None:
            return step
    is_unclear = parsing.has_unclear_numbers(text)
    place = parsing.parse_choice(text, [raffle.title for raffle in facts.raffles])
    if place is not None and not is_unclear:
        return show_raffle_card(facts.raffles[place], Context(), facts)
    if _is_small_talk(text) or not (context.misses or is_unclear):
        # A first message counts as a greeting, whatever it says: it is answered with the menu.
        return show_menu(facts, misses=0 if _is_small_talk(text) else 1)
    return _ask_again(State.MENU, context, text, facts)


def _interpret_words(
    raffle: RaffleFacts, text: str, state: State, context: Context, facts: Facts
) -> Step | None:
    return reserve.interpret_words(raffle, text, state, context, facts, bare=BareNumberMeaning.ASK)


def _ask_again(state: State, context: Context, text: str, facts: Facts) -> Step:
    """Repeat the question, with a note if numbers in the text could not be read."""
    is_unclear = parsing.has_unclear_numbers(text)
    note = guidance.build_unclear_numbers_note() if is_unclear else ""
    return ask_to_rephrase(state, context, facts, note=note)


def _handle_mode_text(context: Context, text: str, facts: Facts) -> Step:
    raffle = facts.find_raffle(context.raffle_id)
    if raffle is None:
        return show_menu(facts)
    step = _interpret_words(raffle, text, State.CHOOSE_MODE, context, facts)
    if step is not None:
        return step
    if _is_small_talk(text):
        return show_raffle_card(raffle, Context(), facts)
    other = parsing.parse_choice(text, [raffle.title for raffle in facts.raffles])
    if other is not None and not parsing.has_unclear_numbers(text):
        return show_raffle_card(facts.raffles[other], Context(), facts)
    return _ask_again(State.CHOOSE_MODE, context, text, facts)


def _handle_number_question_text(
    state: State, context: Context, text: str, facts: Facts, *, bare: BareNumberMeaning
) -> Step:
    raffle = facts.find_raffle(context.raffle_id)
    if raffle is None:
        return show_menu(facts)
    step = reserve.interpret_words(raffle, text, state, context, facts, bare=bare)
    if step is not None:
        return step
    if _is_small_talk(text):
        return repeat_prompt(state, context.without_open_question(), facts)
    return _ask_again(state, context, text, facts)


def _handle_confirmation_text(context: Context, text: str, facts: Facts) -> Step:
    order = facts.find_order(context.draft_order_id)
    if order is None:
        return show_menu(facts)
    if parsing.is_yes(text):
        placing = context.without_open_question()
        return Step(State.CONFIRM_RESERVATION, placing, effect=PlaceOrder(order.id))
    if parsing.wants_other_numbers(text):
        return offer_other_numbers(order, context)
    if parsing.is_no(text):
        reply = orders.build_what_instead_message(order, now=facts.now)
        return answer_with(State.CONFIRM_RESERVATION, context, reply)
    step = _interpret_words(order.raffle, text, State.CONFIRM_RESERVATION, context, facts)
    if step is not None:
        return step
    if _is_small_talk(text) or parsing.asks_how_to_pay(text):
        return repeat_prompt(State.CONFIRM_RESERVATION, context.without_open_question(), facts)
    return _ask_again(State.CONFIRM_RESERVATION, context, text, facts)


def _handle_wait_proof_text(context: Context, text: str, facts: Facts) -> Step:
    order = facts.find_order(context.draft_order_id)
    if order is None:
        return show_menu(facts)
    understood = context.without_open_question()
    if parsing.says_paid(text) or parsing.is_yes(text):
        return show_order(
            order, understood, facts, note=order_status.build_paid_without_proof_note()
        )
    if parsing.asks_how_to_pay(text):
        return show_order(order, understood, facts, pay=True)
    if parsing.asks_for_more(text):
        return show_menu(facts)
    if _is_small_talk(text):
        return show_order(order, understood, facts)
    return ask_to_rephrase(State.WAIT_PROOF, context, facts)


def _handle_done_text(context: Context, text: str, facts: Facts) -> Step:
    order = facts.find_order(context.draft_order_id)
    if parsing.asks_for_more(text) or parsing.is_greeting(text) or order is None:
        return show_menu(facts)
    if _is_small_talk(text) or parsing.says_paid(text):
        return show_order(order, context.without_open_question(), facts)
    if len(facts.raffles) == 1:
        step = _interpret_words(facts.raffles[0], text, State.DONE, Context(), facts)
        if step is not None:
            return step
    return _ask_again(State.DONE, context, text, facts)


def _is_small_talk(text: str) -> bool:
    return (
        parsing.is_greeting(text)
        or parsing.is_thanks(text)
        or parsing.is_yes(text)
        or parsing.is_no(text)
        or parsing.wants_other_numbers(text)
        or parsing.asks_for_more(text)
    )
