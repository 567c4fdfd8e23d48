"""What a tap means, wherever the buyer stands: honoured if still right, explained if not."""

from shared.conversation import button_ids
from shared.conversation.button_ids import ButtonAction, ButtonId
from shared.conversation.flow import commands, reserve, states
from shared.conversation.flow.screens import answer_with, show_menu, show_order, show_raffle_card
from shared.conversation.texts import guidance, orders, raffles
from shared.conversation.values import (
    AssignProof,
    CancelOwnOrder,
    Context,
    Facts,
    OrderFacts,
    PlaceOrder,
    RaffleFacts,
    Step,
)
from shared.core.enums import OrderStatus, State

_RAFFLE_ACTIONS = {
    ButtonAction.RAFFLE,
    ButtonAction.RANDOM,
    ButtonAction.PICK,
    ButtonAction.QUANTITY,
    ButtonAction.NUMBERS,
}


def handle_tap(tap_id: str, state: State, context: Context, facts: Facts) -> Step:
    """Do what a button or row says."""
    tap = button_ids.parse_button_id(tap_id)
    if tap is None:
        return show_menu(facts, note=guidance.build_old_button_note())
    if tap.do is ButtonAction.MENU:
        return show_menu(facts)
    if tap.do is ButtonAction.MINE:
        return commands.show_my_tickets(state, context, facts)
    if tap.do is ButtonAction.PAGE:
        return _show_list_page(tap, facts)
    if tap.do in _RAFFLE_ACTIONS:
        return _handle_raffle_tap(tap, context, facts)
    return _handle_order_tap(tap, state, context, facts)


def _show_list_page(tap: ButtonId, facts: Facts) -> Step:
    if len(facts.raffles) < 2:  # noqa: PLR2004 - no list without two
        return show_menu(facts)
    return answer_with(
        State.MENU, Context(), raffles.build_raffle_list_message(facts.raffles, page=tap.values[0])
    )


def _handle_raffle_tap(tap: ButtonId, context: Context, facts: Facts) -> Step:
    raffle = facts.raffle(tap.subject)
    if raffle is None or not raffle.on_sale:
        note = raffles.build_not_selling_note(raffle.title, raffle.why_not or "") if raffle else ""
        return show_menu(facts, note=note or guidance.build_old_button_note())
    return _apply_raffle_action(tap, raffle, context.understood(), facts)


def _apply_raffle_action(
    tap: ButtonId, raffle: RaffleFacts, context: Context, facts: Facts
) -> Step:
    if tap.do is ButtonAction.RANDOM:
        return reserve.ask_quantity(raffle, context)
    if tap.do is ButtonAction.PICK:
        return reserve.ask_numbers(raffle, context)
    if tap.do is ButtonAction.QUANTITY:
        return reserve.hold_random(raffle, tap.values[1], context, facts)
    if tap.do is ButtonAction.NUMBERS:
        return reserve.hold_numbers(raffle, tuple(sorted(set(tap.values[1:]))), context, facts)
    return show_raffle_card(raffle, Context(), facts)


def _handle_order_tap(tap: ButtonId, state: State, context: Context, facts: Facts) -> Step:
    order = facts.order(tap.values[1] if tap.do is ButtonAction.PROOF else tap.subject)
    if order is None:
        return show_menu(facts, note=guidance.build_old_button_note())
    known = context.understood()
    match tap.do:
        case ButtonAction.PROOF:
            return Step(state, known, effect=AssignProof(tap.values[0], order.id))
        case ButtonAction.KEEP:
            return commands.keep_order(order, state, context, facts)
        case ButtonAction.CANCEL | ButtonAction.CANCEL_SURELY:
            return _handle_cancel_tap(tap, order, state, known)
        case ButtonAction.CONFIRM if order.status is OrderStatus.DRAFT:
            return Step(state, known.but(draft_order_id=order.id), effect=PlaceOrder(order.id))
        case ButtonAction.OTHERS if order.status is OrderStatus.DRAFT:
            return states.offer_other_numbers(order, known)
    return show_order(order, known, facts, pay=True)


def _handle_cancel_tap(tap: ButtonId, order: OrderFacts, state: State, context: Context) -> Step:
    if not order.live:
        return answer_with(state, context, orders.build_cannot_cancel_message(order))
    if tap.do is ButtonAction.CANCEL_SURELY:
        return Step(state, context, effect=CancelOwnOrder(order.id))
    return commands.cancel_or_ask_first(order, state, context, surely=True)
