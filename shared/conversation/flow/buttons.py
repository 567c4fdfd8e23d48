"""What a tap means, wherever the buyer stands: honoured if still right, explained if not."""

from shared.conversation import button_ids
from shared.conversation.button_ids import Do, Tap
from shared.conversation.flow import commands, reserve, states
from shared.conversation.flow.screens import card, meet, menu, say
from shared.conversation.texts import guidance, orders, raffles
from shared.conversation.values import (
    AssignProof,
    CallOff,
    Context,
    Facts,
    OrderFacts,
    Place,
    RaffleFacts,
    Step,
)
from shared.core.enums import OrderStatus, State

_ABOUT_RAFFLES = {Do.RAFFLE, Do.RANDOM, Do.PICK, Do.QUANTITY, Do.NUMBERS}


def tapped(tap_id: str, state: State, context: Context, facts: Facts) -> Step:
    """Do what a button or row says."""
    tap = button_ids.read(tap_id)
    if tap is None:
        return menu(facts, note=guidance.old_button())
    if tap.do is Do.MENU:
        return menu(facts)
    if tap.do is Do.MINE:
        return commands.mine(state, context, facts)
    if tap.do is Do.PAGE:
        return _page(tap, facts)
    if tap.do in _ABOUT_RAFFLES:
        return _about_raffle(tap, context, facts)
    return _about_order(tap, state, context, facts)


def _page(tap: Tap, facts: Facts) -> Step:
    if len(facts.raffles) < 2:  # noqa: PLR2004 - no list without two
        return menu(facts)
    return say(State.MENU, Context(), raffles.raffle_list(facts.raffles, page=tap.values[0]))


def _about_raffle(tap: Tap, context: Context, facts: Facts) -> Step:
    raffle = facts.raffle(tap.subject)
    if raffle is None or not raffle.on_sale:
        note = raffles.not_selling(raffle.title, raffle.why_not or "") if raffle else ""
        return menu(facts, note=note or guidance.old_button())
    return _with_raffle(tap, raffle, context.understood(), facts)


def _with_raffle(tap: Tap, raffle: RaffleFacts, context: Context, facts: Facts) -> Step:
    if tap.do is Do.RANDOM:
        return reserve.ask_quantity(raffle, context)
    if tap.do is Do.PICK:
        return reserve.ask_numbers(raffle, context)
    if tap.do is Do.QUANTITY:
        return reserve.hold_random(raffle, tap.values[1], context, facts)
    if tap.do is Do.NUMBERS:
        return reserve.hold_numbers(raffle, tuple(sorted(set(tap.values[1:]))), context, facts)
    return card(raffle, Context(), facts)


def _about_order(tap: Tap, state: State, context: Context, facts: Facts) -> Step:
    order = facts.order(tap.values[1] if tap.do is Do.PROOF else tap.subject)
    if order is None:
        return menu(facts, note=guidance.old_button())
    known = context.understood()
    match tap.do:
        case Do.PROOF:
            return Step(state, known, effect=AssignProof(tap.values[0], order.id))
        case Do.KEEP:
            return commands.keep(order, state, context, facts)
        case Do.CANCEL | Do.CANCEL_SURELY:
            return _cancel(tap, order, state, known)
        case Do.CONFIRM if order.status is OrderStatus.DRAFT:
            return Step(state, known.but(draft_order_id=order.id), effect=Place(order.id))
        case Do.OTHERS if order.status is OrderStatus.DRAFT:
            return states.others(order, known)
    return meet(order, known, facts, pay=True)


def _cancel(tap: Tap, order: OrderFacts, state: State, context: Context) -> Step:
    if not order.live:
        return say(state, context, orders.cannot_cancel(order))
    if tap.do is Do.CANCEL_SURELY:
        return Step(state, context, effect=CallOff(order.id))
    return commands.cancel(order, state, context, surely=True)
