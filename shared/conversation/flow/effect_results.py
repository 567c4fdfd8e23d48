"""What follows when a hold, an order or a cancellation came about, or was refused."""

from typing import Final

from shared.conversation.flow import reserve
from shared.conversation.flow.screens import meet, menu, prompt, say
from shared.conversation.texts import guidance, orders, raffles
from shared.conversation.values import (
    Context,
    Facts,
    OrderFacts,
    RaffleFacts,
    Refused,
    Step,
)
from shared.core.enums import Mode, State


def held(order_id: int, context: Context, facts: Facts) -> Step:
    """Show what is held and let the buyer decide."""
    order = facts.order(order_id)
    if order is None:
        return menu(facts)
    known = context.understood().but(
        raffle_id=order.raffle.id, draft_order_id=order.id, mode=order.mode
    )
    return say(State.CONFIRM_RESERVATION, known, orders.held(order, now=facts.now))


def placed(order_id: int, context: Context, facts: Facts) -> Step:
    """Tell how to pay."""
    order = facts.order(order_id)
    known = context.understood().but(draft_order_id=order_id, picked_numbers=(), qty=None)
    if order is None:
        return Step(State.WAIT_PROOF, known)
    return say(State.WAIT_PROOF, known, orders.how_to_pay(order, now=facts.now))


def called_off(order_id: int, facts: Facts) -> Step:
    """Say that the order is gone."""
    order = facts.order(order_id)
    return say(State.MENU, Context(), orders.cancelled(order)) if order else menu(facts)


def refused(event: Refused, state: State, context: Context, facts: Facts) -> Step:
    """Word a refusal and show what is possible instead."""
    known = context.understood()
    if event.code in _ABOUT_ORDERS:
        return _about_order(event, state, known, facts)
    raffle = facts.raffle(known.raffle_id)
    if raffle is None:
        return prompt(state, known, facts, note=orders.not_possible())
    return _about_raffle(event, raffle, known, facts) or prompt(
        state, known, facts, note=orders.not_possible()
    )


def _about_raffle(
    event: Refused, raffle: RaffleFacts, context: Context, facts: Facts
) -> Step | None:
    told = event.details
    match event.code:
        case "raffle_not_selling":
            return menu(facts, note=raffles.not_selling(raffle.title, str(told.get("reason", ""))))
        case "quantity_out_of_bounds":
            return _out_of_bounds(raffle, context)
        case "numbers_unknown":
            note = raffles.unknown_numbers(raffle, unknown=told["unknown"])
            return reserve.ask_numbers(raffle, context.but(picked_numbers=()), note=note)
        case "numbers_taken":
            reply = raffles.numbers_taken(
                raffle,
                taken=told["taken"],
                free=told["free"],
                neighbours=told.get("neighbours", ()),
            )
            return say(State.ASK_PICK_NUMBERS, context, reply)
        case "too_few_left":
            reply = raffles.too_few_left(raffle, available=told["available"])
            state = State.MENU if reply.key == "sold_out" else State.ASK_QTY
            return say(state, context, reply)
        case "contact_limit_reached":
            limit, remaining = told["limit"], told["remaining"]
            reply = raffles.limit_reached(raffle, limit=limit, remaining=remaining)
            return say(State.CHOOSE_MODE, context, reply)
        case "cooling_down":
            reply = raffles.cooling_down(raffle, until=told["until"], now=facts.now)
            return say(State.CHOOSE_MODE, context, reply)
    return None


def _out_of_bounds(raffle: RaffleFacts, context: Context) -> Step:
    picking = context.mode is Mode.PICK
    asked = len(context.picked_numbers) if picking else context.qty or 0
    note = raffles.off_limits(raffle, quantity=asked)
    if picking:
        return reserve.ask_numbers(raffle, context, note=note)
    return say(State.ASK_QTY, context, raffles.ask_quantity(raffle, note=note))


_ABOUT_ORDERS: Final = frozenset(
    {
        "order_wants_payment",
        "order_expired",
        "order_not_draft",
        "order_already_paid",
        "order_ended",
        "order_not_found",
    }
)


def _about_order(event: Refused, state: State, context: Context, facts: Facts) -> Step:
    order = facts.order(event.details.get("order_id")) or facts.order(context.draft_order_id)
    if order is None:
        return menu(facts, note=guidance.old_button())
    if event.code == "order_wants_payment":
        return meet(order, context, facts, note=orders.one_at_a_time())
    if event.code in {"order_expired", "order_not_draft"}:
        return _over(order, context, facts)
    return say(state, context, orders.cannot_cancel(order))


def _over(order: OrderFacts, context: Context, facts: Facts) -> Step:
    """The hold ran out before the buyer confirmed, or is no hold any more."""
    if order.live and order.expires_at is not None and order.expires_at <= facts.now:
        # Still a row that waits for the sweeper, but its time is over.
        return menu(facts, note=orders.lapsed(order))
    return meet(order, context, facts)
