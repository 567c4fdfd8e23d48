"""Texts about a buyer's orders: holds, payment, proofs and cancellation."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, assert_never

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.facts.values import OrderFacts
from shared.conversation.formatting import format_money
from shared.conversation.texts import raffle_updates
from shared.conversation.texts.parts import (
    MENU_BUTTON,
    MY_TICKETS_BUTTON,
    build_money_back_sentence,
    build_numbers_are,
    build_stay_yours_phrase,
    choose_is_or_are,
    choose_page_rows,
    describe_payment,
    format_all_order_numbers,
    format_few_order_numbers,
    format_order_deadline,
    format_order_numbers,
)
from shared.conversation.values import Reply
from shared.core.enums import OrderStatus
from shared.whatsapp.messages import MAX_ROWS, ListRow, ReplyButton

_MAX_HELD_NUMBERS_BESIDE_BUTTONS: Final = 600
"""Most characters of held numbers in a message with buttons: a hundred numbers of three digits."""

# ── holding and paying ────────────────────────────────────────────────────────────────────────


def build_held_message(order: OrderFacts, *, now: datetime, note: str = "") -> Reply:
    """Return the message that numbers are held, all of them, with the buttons to decide.

    More numbers than a message with buttons has room for are in a message with a list.
    """
    total = (
        "Free, there is nothing to pay."
        if order.is_free
        else f"Total {format_money(order.total, order.currency)}"
    )
    numbers = format_all_order_numbers(order)
    buttons = (
        ReplyButton(build_button_id(ButtonAction.CONFIRM, order.id), "Confirm"),
        ReplyButton(build_button_id(ButtonAction.OTHERS, order.id), "Other numbers"),
        ReplyButton(build_button_id(ButtonAction.CANCEL, order.id), "Cancel"),
    )
    is_short = len(numbers) <= _MAX_HELD_NUMBERS_BESIDE_BUTTONS
    return Reply(
        "held",
        f"Held for you until {format_order_deadline(order, now=now)}:\n*{numbers}*\n{total}",
        buttons=buttons if is_short else (),
        rows=() if is_short else tuple(ListRow(each.id, each.title) for each in buttons),
        list_button="Confirm or change",
        about=order.code,
    ).with_note_before(note)


def build_what_instead_message(order: OrderFacts, *, now: datetime) -> Reply:
    """Return the question what a buyer wants who said no to the held numbers."""
    return Reply(
        "what_instead",
        f"*{format_order_numbers(order)}* {choose_is_or_are(order)} still held for you until "
        f"{format_order_deadline(order, now=now)}. What would you like to do?",
        buttons=(
            ReplyButton(build_button_id(ButtonAction.OTHERS, order.id), "Other numbers"),
            ReplyButton(build_button_id(ButtonAction.CANCEL, order.id), "Cancel"),
            ReplyButton(build_button_id(ButtonAction.CONFIRM, order.id), "Confirm"),
        ),
        about=order.code,
    )


def build_how_to_pay_message(order: OrderFacts, *, now: datetime, note: str = "") -> Reply:
    """Return the payment instructions: amount, account, deadline and proof."""
    body = describe_payment(order, now=now)
    return Reply("how_to_pay", body, about=order.code).with_note_before(note)


def build_still_to_pay_message(order: OrderFacts, *, now: datetime, note: str = "") -> Reply:
    """Return the reminder of an order that waits for its proof."""
    cancel = ReplyButton(build_button_id(ButtonAction.CANCEL, order.id), "Cancel order")
    if order.is_free:
        body, buttons = describe_payment(order, now=now), (cancel, MENU_BUTTON)
        return Reply("still_to_pay", body, buttons, about=order.code).with_note_before(note)
    owed = format_money(order.total, order.currency)
    how = ReplyButton(build_button_id(ButtonAction.PAY, order.id), "How to pay")
    return Reply(
        "still_to_pay",
        f"Order *{order.code}* waits for a photo or PDF of your receipt: {owed} by "
        f"{format_order_deadline(order, now=now)}.",
        buttons=(how, cancel, MENU_BUTTON),
        about=order.code,
    ).with_note_before(note)


def build_proof_received_message(order: OrderFacts) -> Reply:
    """Return the acknowledgement of the first proof of an order."""
    return Reply(
        "proof_received",
        f"Got it. We are checking the payment of order *{order.code}* (*{order.raffle.title}*). "
        f"{build_stay_yours_phrase(order)} meanwhile; we will write here.",
        about=order.code,
    )


def build_proof_added_message(order: OrderFacts) -> Reply:
    """Return the acknowledgement of one more proof of an order."""
    if order.status is OrderStatus.PAID and not order.raffle.is_called_off:
        return Reply("proof_added", _describe_proof_of_paid_order(order), about=order.code)
    return Reply(
        "proof_added",
        f"Thank you, I added it to order *{order.code}*{_describe_progress(order)}",
        about=order.code,
    )


def _describe_proof_of_paid_order(order: OrderFacts) -> str:
    what = "costs nothing" if order.is_free else "is paid already"
    return (
        f"Thank you. Order *{order.code}* (*{format_order_numbers(order)}*, "
        f"*{order.raffle.title}*) {what}. I keep the receipt for {order.raffle.seller_contact}, "
        "who will look at it."
    )


def _describe_progress(order: OrderFacts) -> str:
    if order.raffle.is_called_off:
        return f". The raffle was called off; {order.raffle.seller_contact} will look at it."
    match order.status:
        case OrderStatus.PAID:
            return ", which is paid already."
        case OrderStatus.DRAFT | OrderStatus.PENDING_PAYMENT:
            return ". We are checking the payment."
        case OrderStatus.CANCELLED | OrderStatus.EXPIRED:
            return f", which is over. {order.raffle.seller_contact} will look at it."
        case _:
            assert_never(order.status)


def build_late_proof_message(order: OrderFacts, *, secured: bool) -> Reply:
    """Return the acknowledgement of a proof that came after the order had ended.

    Args:
        order: the order.
        secured: whether the order got its numbers back.

    """
    if secured:
        body = (
            f"Got it. The time of order *{order.code}* had run out, but "
            f"*{format_order_numbers(order)}* in *{order.raffle.title}* "
            f"{'was' if len(order.numbers) == 1 else 'were'} still free and "
            f"{choose_is_or_are(order)} kept for you while we check the payment."
        )
        return Reply("late_proof_secured", body, about=order.code)
    if order.raffle.is_called_off:
        called_off = raffle_updates.build_called_off_message(order, note="")
        return replace(called_off, key="late_proof")
    if order.raffle.draw_time_reached:
        return raffle_updates.build_too_late_message(order)
    body = (
        f"Got it. {_describe_late_order(order)} "
        f"Nothing is lost: {order.raffle.seller_contact} will decide with you what to do."
    )
    return Reply("late_proof", body, about=order.code)


def _describe_late_order(order: OrderFacts) -> str:
    match order.status:
        case OrderStatus.CANCELLED:
            return (
                f"Order *{order.code}* was cancelled, so {build_numbers_are(order)} not kept for "
                "you."
            )
        case (
            OrderStatus.EXPIRED | OrderStatus.DRAFT | OrderStatus.PENDING_PAYMENT | OrderStatus.PAID
        ):
            gone = "its number is" if len(order.numbers) == 1 else "some of its numbers are"
            return f"The time of order *{order.code}* had run out and {gone} gone."
        case _:
            assert_never(order.status)


# ── cancelling ────────────────────────────────────────────────────────────────────────────────


def build_cancelled_message(order: OrderFacts) -> Reply:
    """Return the message that the buyer cancelled the order, and what becomes of their money."""
    money = build_money_back_sentence(order)
    owed = "" if money or order.is_free else " and nothing is owed"
    return Reply(
        "cancelled",
        f"Cancelled. *{format_order_numbers(order)}* {choose_is_or_are(order)} free "
        f"again{owed}.{money}",
        buttons=(MENU_BUTTON, MY_TICKETS_BUTTON),
        about=order.code,
    )


def build_nothing_to_cancel_note() -> str:
    """Return the note for CANCEL without a live order."""
    return "You have no order to cancel."


def build_cancel_which_message(orders: Sequence[OrderFacts], *, page: int = 0) -> Reply:
    """Return the question which order to cancel; many are shown in pages, from 0."""
    rows = [
        ListRow(
            build_button_id(ButtonAction.CANCEL, order.id),
            order.code,
            f"{order.raffle.title} · {format_few_order_numbers(order)}",
        )
        for order in orders
    ]
    shown = choose_page_rows(
        rows,
        page=page,
        build_page_id=lambda place: build_button_id(ButtonAction.CANCEL_PAGE, place),
        room=MAX_ROWS - 1,
    )
    keep = ListRow(build_button_id(ButtonAction.KEEP, orders[0].id), "Keep them all")
    return Reply(
        "cancel_which",
        "Which order do you want to cancel?",
        rows=(*shown, keep),
        list_button="Orders",
    )


def build_cancel_surely_message(order: OrderFacts, *, is_certain: bool = True) -> Reply:
    """Return the question whether to cancel the order.

    Args:
        order: the order; under review, the text mentions its payment.
        is_certain: whether the buyer surely asked to cancel; false for a misspelt command.

    """
    if order.under_review:
        what = "order" if order.is_free else "your payment for order"
        body = f"We are checking {what} *{order.code}*. Cancel it anyway?"
    elif is_certain:
        body = f"Cancel order *{order.code}* ({format_order_numbers(order)})?"
    else:
        body = f"Did you mean CANCEL? That would give *{format_order_numbers(order)}* back."
    return Reply(
        "cancel_surely",
        body,
        buttons=(
            ReplyButton(build_button_id(ButtonAction.CANCEL_SURELY, order.id), "Yes, cancel it"),
            ReplyButton(build_button_id(ButtonAction.KEEP, order.id), "No, keep it"),
        ),
        about=order.code,
    )


def build_cannot_cancel_message(order: OrderFacts) -> Reply:
    """Return the message that an order is paid or has ended."""
    if order.raffle.is_called_off:
        called_off = raffle_updates.build_called_off_message(order, note="")
        return replace(called_off, key="cannot_cancel")
    match order.status:
        case OrderStatus.PAID:
            what = "confirmed" if order.is_free else "paid"
            body = (
                f"Order *{order.code}* is {what}, I cannot cancel it. "
                f"Please ask {order.raffle.seller_contact}."
            )
        case OrderStatus.CANCELLED | OrderStatus.EXPIRED:
            body = f"Order *{order.code}* is over, so there is nothing to cancel."
        case OrderStatus.DRAFT | OrderStatus.PENDING_PAYMENT:
            body = (
                f"Order *{order.code}* cannot be cancelled now. "
                f"Please ask {order.raffle.seller_contact}."
            )
        case _:
            assert_never(order.status)
    return Reply("cannot_cancel", body, buttons=(MENU_BUTTON, MY_TICKETS_BUTTON), about=order.code)
