"""Texts for buyers whose raffle changed: its sale stopped, its draw moved, or it was called off."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.facts.values import OrderFacts, RaffleFacts
from shared.conversation.formatting import format_day_and_time, format_money
from shared.conversation.texts.parts import (
    MENU_BUTTON,
    MY_TICKETS_BUTTON,
    build_draw_date_sentence,
    build_long_reply,
    build_money_back_sentence,
    build_note_sentence,
    build_stay_yours_phrase,
    choose_buttons,
    choose_is_or_are,
    format_all_order_numbers,
    format_draw_time,
    format_order_deadline,
    format_order_numbers,
)
from shared.conversation.values import Reply
from shared.core.enums import OrderStatus
from shared.whatsapp.messages import ReplyButton

SALE_STOPPED_KEY: Final = "sale_stopped"


def build_sale_stopped_message(orders: Sequence[OrderFacts], *, now: datetime) -> Reply:
    """Return the message that a raffle is paused or closed, and that held numbers stay.

    Args:
        orders: the buyer's holds and unpaid orders of the raffle, the latest last.
        now: the current time.

    """
    last = orders[-1]
    raffle = last.raffle
    stopped = (
        f"*{raffle.title}* is paused: no more numbers are sold at the moment."
        if raffle.not_selling_reason == "paused"
        else f"The sale of *{raffle.title}* is over: no more numbers are sold."
    )
    lines = [_describe_kept_numbers(order, now=now) for order in orders]
    draw = build_draw_date_sentence(last).strip() if raffle.draw_at is not None else ""
    body = "\n".join([stopped, *lines, f"{draw} Questions? {raffle.seller_contact}.".strip()])
    buttons = [_build_next_step_button(order) for order in reversed(orders) if order.wants_receipt]
    reply = build_long_reply(SALE_STOPPED_KEY, body, [*buttons[:1], MY_TICKETS_BUTTON])
    return replace(reply, about=last.code)


def _describe_kept_numbers(order: OrderFacts, *, now: datetime) -> str:
    kept = build_stay_yours_phrase(order)
    until = format_order_deadline(order, now=now)
    if order.status is OrderStatus.DRAFT:
        held = choose_is_or_are(order)
        return (
            f"*{format_order_numbers(order)}* {held} still held for you: you can confirm until "
            f"{until}."
        )
    if order.under_review:
        return f"{kept} while we check order *{order.code}*."
    if order.is_free:
        return f"{kept}: {order.raffle.seller_contact} will confirm order *{order.code}*."
    owed = format_money(order.total, order.currency)
    return (
        f"{kept} if you pay {owed} for order *{order.code}* by {until} and send the receipt here."
    )


def _build_next_step_button(order: OrderFacts) -> ReplyButton:
    if order.status is OrderStatus.DRAFT:
        return ReplyButton(build_button_id(ButtonAction.CONFIRM, order.id), "Confirm")
    return ReplyButton(build_button_id(ButtonAction.PAY, order.id), "How to pay")


def build_draw_moved_message(order: OrderFacts, *, before: datetime | None, note: str) -> Reply:
    """Return the message that the draw was moved.

    Args:
        order: the order, with the new date of its raffle.
        before: the date until now; None: there was none.
        note: the reason as text; may be empty.

    """
    many = len(order.numbers) != 1
    return Reply(
        "draw_moved",
        f"{_describe_draw_move(order.raffle, before=before)}"
        f"{build_note_sentence(note, label='Reason: ')}\n"
        f"Your {'numbers stay' if many else 'number stays'} the same: "
        f"*{format_all_order_numbers(order)}* (order {order.code}). "
        f"Questions? {order.raffle.seller_contact}.",
        about=order.code,
    )


def _describe_draw_move(raffle: RaffleFacts, *, before: datetime | None) -> str:
    zone = ZoneInfo(raffle.time_zone)
    dates = [at.astimezone(zone) for at in (raffle.draw_at, before) if at is not None]
    has_years = raffle.draw_in_other_year or len({date.year for date in dates}) > 1
    old = _format_draw_date(before, raffle=raffle, has_year=has_years)
    new = _format_draw_date(raffle.draw_at, raffle=raffle, has_year=has_years)
    if raffle.draw_at is None:
        until = f" It was planned for {old}." if before is not None else ""
        when = "when all numbers are sold" if raffle.draw_when_sold_out else "on a later day"
        return f"*{raffle.title}* is drawn {when} now.{until}"
    if before is None:
        return f"The draw of *{raffle.title}* has a date now: *{new}*."
    return f"The draw of *{raffle.title}* was moved to *{new}*. Until now it was {old}."


def _format_draw_date(at: datetime | None, *, raffle: RaffleFacts, has_year: bool) -> str:
    if at is None:
        return ""
    return format_day_and_time(at, time_zone=raffle.time_zone, has_year=has_year)


def build_called_off_message(order: OrderFacts, *, note: str) -> Reply:
    """Return the message that the raffle was called off; `note` may be empty."""
    body = (
        f"We are sorry: *{order.raffle.title}* was called off, there will be no draw."
        f"{build_note_sentence(note, label='Reason: ')} Order *{order.code}* is over."
        f"{_describe_money_after_call_off(order)}"
    )
    return Reply(
        "called_off",
        body,
        buttons=choose_buttons(body, MENU_BUTTON, MY_TICKETS_BUTTON),
        about=order.code,
    )


def _describe_money_after_call_off(order: OrderFacts) -> str:
    seller = order.raffle.seller_contact
    if order.is_free:
        return f" Questions? {seller}."
    if order.status is OrderStatus.PAID:
        return f" {seller} will send your {format_money(order.total, order.currency)} back."
    return build_money_back_sentence(order) or f" You owe nothing. Questions? {seller}."


def build_too_late_message(order: OrderFacts) -> Reply:
    """Return the message that a receipt came after the draw's time, so nothing can be sold."""
    raffle = order.raffle
    when = f" ({format_draw_time(raffle)})" if raffle.draw_at is not None else ""
    return Reply(
        "too_late_for_draw",
        f"Got it. But your receipt for order *{order.code}* came after the time of the draw of "
        f"*{raffle.title}*{when}, so it cannot be used: "
        f"{format_all_order_numbers(order)} {choose_is_or_are(order)} not yours. "
        f"{raffle.seller_contact} will check the receipt and send your "
        f"{format_money(order.total, order.currency)} back.",
        about=order.code,
    )


NO_CHANGE_NOTES: Final[Mapping[str, str]] = {
    "draw_time_reached": "The time of the draw has come, so nothing can be changed any more.",
    "raffle_sealed": "The draw is due, so nothing can be changed any more.",
    "raffle_drawn": "The raffle has been drawn, so nothing can be changed any more.",
    "raffle_called_off": "The raffle was called off, so nothing can be changed any more.",
    "result_replaced": "That prize was drawn again since, so nothing can be changed any more.",
}
"""Notes for refused changes of an order whose raffle is over, by the code of the error."""


def build_no_change_note(code: str) -> str:
    """Return the note for an error code of `NO_CHANGE_NOTES`."""
    return NO_CHANGE_NOTES[code]
