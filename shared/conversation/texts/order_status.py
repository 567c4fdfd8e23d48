"""Texts about the state of a buyer's orders.

A note is put above another reply.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.formatting import format_money
from shared.conversation.texts.parts import (
    BUY_MORE_BUTTON,
    MENU_BUTTON,
    MY_TICKETS_BUTTON,
    build_draw_date_sentence,
    build_stay_yours_phrase,
    choose_is_or_are,
    format_order_deadline,
    format_order_numbers,
)
from shared.conversation.values import OrderFacts, Reply
from shared.core.enums import OrderStatus
from shared.whatsapp.messages import ReplyButton


def build_my_tickets_message(orders: Sequence[OrderFacts], *, now: datetime) -> Reply:
    """Return the list of a buyer's orders, newest first, ten at most."""
    if not orders:
        return Reply("my_tickets", "You have no numbers yet.", buttons=(MENU_BUTTON,))
    newest = sorted(orders, key=lambda order: order.id, reverse=True)
    body = "\n\n".join(_build_ticket_line(order, now=now) for order in newest[:10])
    fits = len(body) <= 1024  # noqa: PLR2004 - Meta's limit
    return Reply("my_tickets", body, buttons=_build_ticket_buttons(newest) if fits else ())


def _build_ticket_line(order: OrderFacts, *, now: datetime) -> str:
    return (
        f"*{order.raffle.title}* · {order.code}\n{format_order_numbers(order)}\n"
        f"{_describe_order_status(order, now=now)}"
    )


def _describe_order_status(order: OrderFacts, *, now: datetime) -> str:
    match order.status:
        case OrderStatus.PAID:
            yours = "Yours." if order.is_free else "Paid: yours."
            return f"{yours}{build_draw_date_sentence(order)}"
        case OrderStatus.DRAFT:
            return f"Held until {format_order_deadline(order, now=now)}, not confirmed yet."
        case OrderStatus.PENDING_PAYMENT if order.asked_again:
            return "One more photo or PDF of the receipt is needed: please send it here."
        case OrderStatus.PENDING_PAYMENT if order.under_review:
            return "Being checked." if order.is_free else "Receipt received, being checked."
        case OrderStatus.PENDING_PAYMENT if order.is_free:
            return "Free, not confirmed yet."
        case OrderStatus.PENDING_PAYMENT:
            owed = format_money(order.total, order.currency)
            return f"To be paid: {owed} by {format_order_deadline(order, now=now)}."
        case OrderStatus.EXPIRED:
            return "The time to pay ran out."
        case OrderStatus.CANCELLED:
            return "Cancelled."
        case _:
            assert_never(order.status)


def _build_ticket_buttons(newest: Sequence[OrderFacts]) -> tuple[ReplyButton, ...]:
    for order in newest:
        if order.status is OrderStatus.DRAFT:
            confirm = ReplyButton(
                build_button_id(ButtonAction.CONFIRM, order.id), f"Confirm {order.code}"
            )
            return (
                confirm,
                ReplyButton(build_button_id(ButtonAction.CANCEL, order.id), "Cancel it"),
                MENU_BUTTON,
            )
        if order.wants_payment and not order.is_free:
            return (
                ReplyButton(build_button_id(ButtonAction.PAY, order.id), f"Pay {order.code}"),
                MENU_BUTTON,
            )
    return (BUY_MORE_BUTTON,)


def build_under_review_message(order: OrderFacts) -> Reply:
    """Return the message that a payment is checked, or that a better proof is needed."""
    if order.asked_again:
        body = (
            f"For order *{order.code}* we need one more photo or PDF of your receipt: please send "
            f"it here. {build_stay_yours_phrase(order)} meanwhile."
        )
        return Reply(
            "under_review", body, buttons=(BUY_MORE_BUTTON, MY_TICKETS_BUTTON), about=order.code
        )
    what = "order" if order.is_free else "the payment of order"
    return Reply(
        "under_review",
        f"We are checking {what} *{order.code}*. "
        f"{build_stay_yours_phrase(order)} meanwhile; we will write here.",
        buttons=(BUY_MORE_BUTTON, MY_TICKETS_BUTTON),
        about=order.code,
    )


def build_all_done_message(order: OrderFacts) -> Reply:
    """Return the message that an order is paid, for a buyer who writes afterwards."""
    return Reply(
        "all_done",
        f"Order *{order.code}* is {'complete' if order.is_free else 'paid'}: "
        f"*{format_order_numbers(order)}* "
        f"{choose_is_or_are(order)} yours. Good luck!",
        buttons=(BUY_MORE_BUTTON, MY_TICKETS_BUTTON),
        about=order.code,
    )


def build_order_ended_note(order: OrderFacts) -> str:
    """Return the note that an order has ended, or that its time is over."""
    raffle = order.raffle
    after = "are free again"
    if raffle.is_called_off or raffle.draw_time_reached:
        after = "are not held for you any more"
    match order.status:
        case OrderStatus.PAID:
            return f"Order {order.code} is complete."
        case OrderStatus.CANCELLED:
            why = f"Order {order.code} has been cancelled"
        case OrderStatus.DRAFT | OrderStatus.PENDING_PAYMENT | OrderStatus.EXPIRED:
            why = f"The time for {order.code} ran out"
        case _:
            assert_never(order.status)
    return f"{why}; its numbers {after}."


def build_one_at_a_time_note() -> str:
    """Return the note for a hold that is refused because an order waits for payment."""
    return "One order at a time: this one still waits for its payment."


def build_paid_without_proof_note() -> str:
    """Return the note for a buyer who claims to have paid, without a proof."""
    return "Thank you! I only need to see the receipt."


def build_not_possible_note() -> str:
    """Return the note for a refusal without a text of its own."""
    return "That is not possible any more."


def build_order_kept_note(order: OrderFacts) -> str:
    """Return the note that an order was not cancelled."""
    return f"Order {order.code} stays as it is."
