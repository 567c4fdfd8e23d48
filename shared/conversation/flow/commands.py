"""Handlers of the commands, of "my tickets", and of a no to an open question."""

from dataclasses import replace
from typing import assert_never

from shared.conversation import button_ids
from shared.conversation.button_ids import ButtonAction
from shared.conversation.buyer_texts import parsing
from shared.conversation.buyer_texts.parsing import ParsedCommand
from shared.conversation.buyer_texts.vocabulary import ChatCommand
from shared.conversation.context import Context
from shared.conversation.facts.values import Facts, OrderFacts
from shared.conversation.flow.screens import answer_with, repeat_prompt, show_menu
from shared.conversation.texts import guidance, my_tickets, order_status, orders
from shared.conversation.values import CancelOwnOrder, Step
from shared.core.enums import State


def handle_command(parsed: ParsedCommand, state: State, context: Context, facts: Facts) -> Step:
    """Return the step for a command; a misspelt CANCEL is confirmed first."""
    match parsed.command:
        case ChatCommand.MENU:
            return reset_to_menu(facts)
        case ChatCommand.HELP:
            return _handle_help(state, context, facts)
        case ChatCommand.CANCEL:
            return _handle_cancel(state, context, facts, is_certain=parsed.is_certain)
        case _:
            assert_never(parsed.command)


def reset_to_menu(facts: Facts) -> Step:
    """Start over in MENU, where one raffle's card is understood as in CHOOSE_MODE."""
    return replace(show_menu(facts), state=State.MENU, context=Context())


def _handle_help(state: State, context: Context, facts: Facts) -> Step:
    note = guidance.build_help_note(facts.find_seller_contact(context.raffle_id))
    menu = show_menu(facts, note=note)
    match state:
        case State.MENU | State.CHOOSE_MODE | State.DONE:
            return menu
        case State.ASK_QTY | State.ASK_PICK_NUMBERS | State.CONFIRM_RESERVATION | State.WAIT_PROOF:
            # The buyer still has a question to answer, so the state stays.
            return Step(state, context.without_open_question(), replies=menu.replies)
        case _:
            assert_never(state)


def _handle_cancel(state: State, context: Context, facts: Facts, *, is_certain: bool) -> Step:
    live = facts.live_orders
    if not live:
        return show_menu(facts, note=orders.build_nothing_to_cancel_note())
    if len(live) > 1:
        return answer_with(state, context, orders.build_cancel_which_message(live))
    return cancel_or_ask_first(live[0], state, context, is_certain=is_certain)


def cancel_or_ask_first(
    order: OrderFacts, state: State, context: Context, *, is_certain: bool
) -> Step:
    """Cancel a live order, or ask for confirmation.

    Args:
        order: the order.
        state: the buyer's state, which stays.
        context: the context.
        is_certain: whether the buyer surely asked to cancel; false for a misspelt command. An order
            under review is confirmed all the same, because its payment may be under way.

    """
    if is_certain and not order.under_review:
        return Step(state, context.without_open_question(), effect=CancelOwnOrder(order.id))
    asking = context.without_open_question().with_changes(
        yes_button_id=button_ids.build_button_id(ButtonAction.CANCEL_SURELY, order.id)
    )
    reply = orders.build_cancel_surely_message(order, is_certain=is_certain)
    return Step(state, asking, replies=(reply,))


def show_my_tickets(state: State, context: Context, facts: Facts, *, page: int = 0) -> Step:
    """Show one page of the buyer's orders, from 0."""
    reply = my_tickets.build_my_tickets_message(facts.orders, now=facts.now, page=page)
    return answer_with(state, context, reply)


def keep_order(order: OrderFacts, state: State, context: Context, facts: Facts) -> Step:
    """Keep an order unchanged and repeat the last question."""
    return repeat_prompt(
        state,
        context.without_open_question(),
        facts,
        note=order_status.build_order_kept_note(order),
    )


def handle_answer_to_question(
    state: State, context: Context, text: str, facts: Facts
) -> Step | None:
    """Return the step for a no to the open question, or None for any other text.

    A yes is handled as a tap on the button that it stands for.
    """
    tap = button_ids.parse_button_id(context.yes_button_id)
    if tap is None or not parsing.is_no(text):
        return None
    if tap.action in {ButtonAction.NUMBERS, ButtonAction.QUANTITY}:
        order = facts.find_draft(tap.subject_id)
        if order is None:
            return repeat_prompt(state, context.without_open_question(), facts)
    else:
        order = facts.find_order(tap.subject_id)
    return keep_order(order, state, context, facts) if order else None
