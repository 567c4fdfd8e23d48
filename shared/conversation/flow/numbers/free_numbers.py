"""Answers to lookups of free numbers; afterwards the buyer writes the ones they would like."""

from shared.conversation.context import Context
from shared.conversation.conversation_events import FreeNumbersFound, NumbersChecked
from shared.conversation.facts.values import Facts, RaffleFacts
from shared.conversation.flow import age
from shared.conversation.flow.screens import repeat_prompt, show_menu
from shared.conversation.texts import free_numbers, guidance, raffles
from shared.conversation.values import Reply, Step
from shared.core.enums import Mode, State


def show_free_numbers(
    outcome: FreeNumbersFound, state: State, context: Context, facts: Facts
) -> Step:
    """Show free numbers like the buyer wants them."""
    raffle = _find_raffle(outcome.raffle, facts)
    if raffle is None:
        return show_menu(facts, note=guidance.build_old_button_note())
    if not raffle.is_on_sale:
        return _explain_not_on_sale(raffle, state, context, facts)
    reply = free_numbers.build_numbers_like_message(
        raffle,
        outcome,
        hold=facts.find_draft(raffle.id),
        can_take=_can_take(raffle, facts),
    )
    return _answer(reply, raffle, state, context, facts)


def show_checked_numbers(
    outcome: NumbersChecked, state: State, context: Context, facts: Facts
) -> Step:
    """Show which of some numbers are free."""
    raffle = _find_raffle(outcome.raffle, facts)
    if raffle is None:
        return show_menu(facts, note=guidance.build_old_button_note())
    if not raffle.is_on_sale:
        return _explain_not_on_sale(raffle, state, context, facts)
    own = {
        number
        for order in facts.orders
        if order.raffle.id == raffle.id and order.holds_numbers
        for number in order.numbers
    }
    reply = free_numbers.build_numbers_checked_message(
        outcome,
        raffle,
        own=own,
        hold=facts.find_draft(raffle.id),
        can_take=_can_take(raffle, facts),
    )
    return _answer(reply, raffle, state, context, facts)


def _find_raffle(raffle: RaffleFacts | None, facts: Facts) -> RaffleFacts | None:
    """Return the raffle as this buyer sees it, with what they may still take."""
    return None if raffle is None else facts.find_raffle(raffle.id) or raffle


def _explain_not_on_sale(raffle: RaffleFacts, state: State, context: Context, facts: Facts) -> Step:
    note = raffles.build_not_selling_note(raffle.title, raffle.not_selling_reason or "")
    return repeat_prompt(state, context.without_open_question(), facts, note=note)


def _can_take(raffle: RaffleFacts, facts: Facts) -> bool:
    """Whether the buyer may take numbers of a raffle now: nothing of it waits for their payment."""
    owes = any(order.raffle.id == raffle.id for order in facts.orders_wanting_payment)
    return raffle.max_quantity > 0 and not owes


def _answer(
    reply: Reply, raffle: RaffleFacts, state: State, context: Context, facts: Facts
) -> Step:
    """Show the answer; unless numbers are held, the buyer picks next."""
    understood = age.close_other_questions(context)
    if facts.find_draft(raffle.id) is not None or not _can_take(raffle, facts):
        return Step(state, understood, replies=(reply,))
    picking = understood.with_changes(raffle_id=raffle.id, mode=Mode.PICK, qty=None)
    return Step(State.ASK_PICK_NUMBERS, picking, replies=(reply,))
