"""The three words that work everywhere, "my tickets", and the answer to an open yes-or-no."""

from typing import assert_never

from shared.conversation import button_ids, parsing
from shared.conversation.button_ids import ButtonAction
from shared.conversation.flow.screens import answer_with, repeat_prompt, show_menu
from shared.conversation.parsing import ChatCommand, ParsedCommand
from shared.conversation.texts import guidance, orders
from shared.conversation.values import CancelOwnOrder, Context, Facts, OrderFacts, Step
from shared.core.enums import State


def handle_command(heard: ParsedCommand, state: State, context: Context, facts: Facts) -> Step:
    """Do what a command says; of a word that destroys, a near miss is asked about."""
    match heard.command:
        case ChatCommand.MENU:
            return show_menu(facts)
        case ChatCommand.HELP:
            return _handle_help(state, context, facts)
        case ChatCommand.CANCEL:
            return _handle_cancel(state, context, facts, surely=heard.surely)


def _handle_help(state: State, context: Context, facts: Facts) -> Step:
    raffle = facts.raffle(context.raffle_id)
    note = guidance.build_help_note(raffle.seller if raffle else facts.seller)
    shown = show_menu(facts, note=note)
    match state:
        case State.MENU | State.CHOOSE_MODE | State.DONE:
            return shown  # nothing was asked, so the menu loses no place
        case State.ASK_QTY | State.ASK_PICK_NUMBERS | State.CONFIRM_RESERVATION | State.WAIT_PROOF:
            return Step(state, context.understood(), replies=shown.replies)
        case _:
            assert_never(state)


def _handle_cancel(state: State, context: Context, facts: Facts, *, surely: bool) -> Step:
    live = facts.live_orders
    if not live:
        return show_menu(facts, note=orders.build_nothing_to_cancel_note())
    if len(live) > 1:
        return answer_with(state, context, orders.build_cancel_which_message(live))
    return cancel_or_ask_first(live[0], state, context, surely=surely)


def cancel_or_ask_first(order: OrderFacts, state: State, context: Context, *, surely: bool) -> Step:
    """Cancel a live order, or ask once more where money may be under way."""
    if surely and not order.under_review:
        return Step(state, context.understood(), effect=CancelOwnOrder(order.id))
    asking = context.understood().but(
        asked=button_ids.build_button_id(ButtonAction.CANCEL_SURELY, order.id)
    )
    return Step(state, asking, replies=(orders.build_cancel_surely_message(order, meant=surely),))


def show_my_tickets(state: State, context: Context, facts: Facts) -> Step:
    """Show what is the buyer's."""
    return answer_with(state, context, orders.build_my_tickets_message(facts.orders, now=facts.now))


def keep_order(order: OrderFacts, state: State, context: Context, facts: Facts) -> Step:
    """Leave an order as it is and go on where the buyer was."""
    return repeat_prompt(
        state, context.understood(), facts, note=orders.build_order_kept_note(order)
    )


def handle_answer_to_question(
    state: State, context: Context, text: str, facts: Facts
) -> Step | None:
    """Take a plain no to the open question; a yes is the tap it stands for (see the machine)."""
    tap = button_ids.parse_button_id(context.asked)
    if tap is None or not parsing.is_no(text):
        return None
    order = facts.order(tap.subject)
    return keep_order(order, state, context, facts) if order else None
