"""What follows when a hold, an order or a cancellation came about, or was refused."""

from typing import Final

from shared.conversation.flow import reserve
from shared.conversation.flow.screens import answer_with, repeat_prompt, show_menu, show_order
from shared.conversation.texts import guidance, orders, raffles
from shared.conversation.values import Context, EffectRefused, Facts, OrderFacts, RaffleFacts, Step
from shared.core.enums import Mode, State


def show_held_numbers(order_id: int, context: Context, facts: Facts) -> Step:
    """Show what is held and let the buyer decide."""
    order = facts.order(order_id)
    if order is None:
        return show_menu(facts)
    known = context.understood().but(
        raffle_id=order.raffle.id, draft_order_id=order.id, mode=order.mode
    )
    return answer_with(
        State.CONFIRM_RESERVATION, known, orders.build_held_message(order, now=facts.now)
    )


def show_payment_instructions(order_id: int, context: Context, facts: Facts) -> Step:
    """Tell how to pay."""
    order = facts.order(order_id)
    known = context.understood().but(draft_order_id=order_id, picked_numbers=(), qty=None)
    if order is None:
        return Step(State.WAIT_PROOF, known)
    return answer_with(
        State.WAIT_PROOF, known, orders.build_how_to_pay_message(order, now=facts.now)
    )


def show_cancellation(order_id: int, facts: Facts) -> Step:
    """Say that the order is gone."""
    order = facts.order(order_id)
    return (
        answer_with(State.MENU, Context(), orders.build_cancelled_message(order))
        if order
        else show_menu(facts)
    )


def explain_refusal(event: EffectRefused, state: State, context: Context, facts: Facts) -> Step:
    """Word a refusal and show what is possible instead."""
    known = context.understood()
    if event.code in _ORDER_REFUSAL_CODES:
        return _explain_order_refusal(event, state, known, facts)
    raffle = facts.raffle(known.raffle_id)
    if raffle is None:
        return repeat_prompt(state, known, facts, note=orders.build_not_possible_note())
    return _explain_raffle_refusal(event, raffle, known, facts) or repeat_prompt(
        state, known, facts, note=orders.build_not_possible_note()
    )


def _explain_raffle_refusal(
    event: EffectRefused, raffle: RaffleFacts, context: Context, facts: Facts
) -> Step | None:
    told = event.details
    match event.code:
        case "raffle_not_selling":
            return show_menu(
                facts,
                note=raffles.build_not_selling_note(raffle.title, str(told.get("reason", ""))),
            )
        case "quantity_out_of_bounds":
            return _explain_quantity_bounds(raffle, context)
        case "numbers_unknown":
            note = raffles.build_unknown_numbers_note(raffle, unknown=told["unknown"])
            return reserve.ask_numbers(raffle, context.but(picked_numbers=()), note=note)
        case "numbers_taken":
            reply = raffles.build_numbers_taken_message(
                raffle,
                taken=told["taken"],
                free=told["free"],
                neighbours=told.get("neighbours", ()),
            )
            return answer_with(State.ASK_PICK_NUMBERS, context, reply)
        case "too_few_left":
            reply = raffles.build_too_few_left_message(raffle, available=told["available"])
            state = State.MENU if reply.key == "sold_out" else State.ASK_QTY
            return answer_with(state, context, reply)
        case "contact_limit_reached":
            limit, remaining = told["limit"], told["remaining"]
            reply = raffles.build_limit_reached_message(raffle, limit=limit, remaining=remaining)
            return answer_with(State.CHOOSE_MODE, context, reply)
        case "cooling_down":
            reply = raffles.build_cooling_down_message(raffle, until=told["until"], now=facts.now)
            return answer_with(State.CHOOSE_MODE, context, reply)
    return None


def _explain_quantity_bounds(raffle: RaffleFacts, context: Context) -> Step:
    picking = context.mode is Mode.PICK
    asked = len(context.picked_numbers) if picking else context.qty or 0
    note = raffles.build_quantity_out_of_bounds_note(raffle, quantity=asked)
    if picking:
        return reserve.ask_numbers(raffle, context, note=note)
    return answer_with(
        State.ASK_QTY, context, raffles.build_ask_quantity_message(raffle, note=note)
    )


_ORDER_REFUSAL_CODES: Final = frozenset(
    {
        "order_wants_payment",
        "order_expired",
        "order_not_draft",
        "order_already_paid",
        "order_ended",
        "order_not_found",
    }
)


def _explain_order_refusal(
    event: EffectRefused, state: State, context: Context, facts: Facts
) -> Step:
    order = facts.order(event.details.get("order_id")) or facts.order(context.draft_order_id)
    if order is None:
        return show_menu(facts, note=guidance.build_old_button_note())
    if event.code == "order_wants_payment":
        return show_order(order, context, facts, note=orders.build_one_at_a_time_note())
    if event.code in {"order_expired", "order_not_draft"}:
        return _show_ended_hold(order, context, facts)
    return answer_with(state, context, orders.build_cannot_cancel_message(order))


def _show_ended_hold(order: OrderFacts, context: Context, facts: Facts) -> Step:
    """The hold ran out before the buyer confirmed, or is no hold any more."""
    if order.live and order.expires_at is not None and order.expires_at <= facts.now:
        # Still a row that waits for the sweeper, but its time is over.
        return show_menu(facts, note=orders.build_order_ended_note(order))
    return show_order(order, context, facts)
