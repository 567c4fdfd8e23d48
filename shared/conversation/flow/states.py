"""What free words mean in each of the seven states, once no command was heard."""

from collections.abc import Callable, Mapping
from typing import Final

from shared.conversation import parsing
from shared.conversation.flow import reserve
from shared.conversation.flow.reserve import Bare
from shared.conversation.flow.screens import card, meet, menu, not_understood, prompt
from shared.conversation.texts import orders
from shared.conversation.values import Context, Facts, HoldRandom, OrderFacts, Place, Step
from shared.core.enums import Mode, State


def _menu(context: Context, text: str, facts: Facts) -> Step:
    if len(facts.raffles) > 1:
        place = parsing.choice(text, [raffle.title for raffle in facts.raffles])
        if place is not None:
            return card(facts.raffles[place], Context(), facts)
    elif facts.raffles:
        raffle = facts.raffles[0]
        step = reserve.from_words(raffle, text, Context(), facts, bare=Bare.ASK)
        if step is not None:
            return step
    if _is_small_talk(text) or not context.misses:
        # A first message is a hello in any words: the menu is the answer, without a reproach.
        return menu(facts, misses=0 if _is_small_talk(text) else 1)
    return not_understood(State.MENU, context, facts)


def _choose_mode(context: Context, text: str, facts: Facts) -> Step:
    raffle = facts.raffle(context.raffle_id)
    if raffle is None:
        return menu(facts)
    step = reserve.from_words(raffle, text, context, facts, bare=Bare.ASK)
    if step is not None:
        return step
    if _is_small_talk(text):
        return card(raffle, Context(), facts)
    other = parsing.choice(text, [raffle.title for raffle in facts.raffles])
    if other is not None:
        return card(facts.raffles[other], Context(), facts)
    return not_understood(State.CHOOSE_MODE, context, facts)


def _ask_quantity(context: Context, text: str, facts: Facts) -> Step:
    return _asked(State.ASK_QTY, context, text, facts, bare=Bare.QUANTITY)


def _ask_numbers(context: Context, text: str, facts: Facts) -> Step:
    return _asked(State.ASK_PICK_NUMBERS, context, text, facts, bare=Bare.TICKET)


def _asked(state: State, context: Context, text: str, facts: Facts, *, bare: Bare) -> Step:
    raffle = facts.raffle(context.raffle_id)
    if raffle is None:
        return menu(facts)
    step = reserve.from_words(raffle, text, context, facts, bare=bare)
    if step is not None:
        return step
    if _is_small_talk(text):
        return prompt(state, context.understood(), facts)
    return not_understood(state, context, facts)


def _confirm(context: Context, text: str, facts: Facts) -> Step:
    order = facts.order(context.draft_order_id)
    if order is None:
        return menu(facts)
    if parsing.is_yes(text):
        return Step(State.CONFIRM_RESERVATION, context.understood(), effect=Place(order.id))
    if parsing.is_no(text):
        return others(order, context)
    step = reserve.from_words(order.raffle, text, context, facts, bare=Bare.ASK)
    if step is not None:
        return step
    if _is_small_talk(text) or parsing.asks_how_to_pay(text):
        return prompt(State.CONFIRM_RESERVATION, context.understood(), facts)
    return not_understood(State.CONFIRM_RESERVATION, context, facts)


def others(order: OrderFacts, context: Context) -> Step:
    """Offer other numbers: drawn anew if they were random, else to be written."""
    raffle = order.raffle
    if order.mode is Mode.RANDOM:
        chosen = context.understood().but(
            raffle_id=raffle.id, mode=Mode.RANDOM, qty=len(order.numbers)
        )
        effect = HoldRandom(raffle.id, len(order.numbers), replacing=order.id)
        return Step(State.CONFIRM_RESERVATION, chosen, effect=effect)
    return reserve.ask_numbers(raffle, context)


def _wait_proof(context: Context, text: str, facts: Facts) -> Step:
    order = facts.order(context.draft_order_id)
    if order is None:
        return menu(facts)
    known = context.understood()
    if parsing.says_paid(text) or parsing.is_yes(text):
        return meet(order, known, facts, note=orders.paid_without_proof())
    if parsing.asks_how_to_pay(text):
        return meet(order, known, facts, pay=True)
    if parsing.asks_for_more(text):
        return menu(facts)
    if _is_small_talk(text):
        return meet(order, known, facts)
    return not_understood(State.WAIT_PROOF, context, facts)


def _done(context: Context, text: str, facts: Facts) -> Step:
    order = facts.order(context.draft_order_id)
    if parsing.asks_for_more(text) or parsing.is_greeting(text) or order is None:
        return menu(facts)
    if _is_small_talk(text) or parsing.says_paid(text):
        return meet(order, context.understood(), facts)
    if len(facts.raffles) == 1:
        step = reserve.from_words(facts.raffles[0], text, Context(), facts, bare=Bare.ASK)
        if step is not None:
            return step
    return not_understood(State.DONE, context, facts)


def _is_small_talk(text: str) -> bool:
    return (
        parsing.is_greeting(text)
        or parsing.is_thanks(text)
        or parsing.is_yes(text)
        or parsing.is_no(text)
        or parsing.asks_for_more(text)
    )


WORDS: Final[Mapping[State, Callable[[Context, str, Facts], Step]]] = {
    State.MENU: _menu,
    State.CHOOSE_MODE: _choose_mode,
    State.ASK_QTY: _ask_quantity,
    State.ASK_PICK_NUMBERS: _ask_numbers,
    State.CONFIRM_RESERVATION: _confirm,
    State.WAIT_PROOF: _wait_proof,
    State.DONE: _done,
}
