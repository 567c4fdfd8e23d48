"""Texts for changes that were not caused by a message of the buyer; pure functions."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, assert_never

from shared.conversation.facts.values import OrderFacts
from shared.conversation.formatting import format_money, format_ticket_numbers
from shared.conversation.texts import orders
from shared.conversation.texts.parts import (
    MENU_BUTTON,
    MY_TICKETS_BUTTON,
    build_draw_date_sentence,
    build_money_back_sentence,
    build_next_button,
    build_note_sentence,
    build_numbers_are,
    build_stay_yours_phrase,
    choose_buttons,
    choose_is_or_are,
    describe_end,
    format_all_order_numbers,
    format_order_deadline_for_notice,
    format_order_numbers,
    format_receipt,
    pluralize_number,
)
from shared.conversation.values import Reply
from shared.core.enums import FileFailure, OrderStatus, RejectReason

KEEP_RECEIPT: Final = "Keep this message: it proves that you are in the draw."
"""Reason to keep the entry of a sale, which its buyer can compare with the record of the draw."""


def build_paid_message(order: OrderFacts) -> Reply:
    """Return the message that the order is paid: what was bought, the draw, and whom to ask."""
    done = "All set" if order.is_free else "Paid"
    bought = [f"*{order.raffle.title}*", f"order {order.code}"]
    if not order.is_free:
        bought.append(format_money(order.total, order.currency))
    draw = build_draw_date_sentence(order).strip()
    receipt = format_receipt(order)
    return Reply(
        "paid",
        f"{done}. *{format_all_order_numbers(order)}* {choose_is_or_are(order)} yours.\n"
        f"{' · '.join(bought)}\n"
        f"{f'{receipt}\n{KEEP_RECEIPT}\n' if receipt else ''}"
        f"{f'{draw} Good luck!'.strip()}\n"
        f"Questions? {order.raffle.seller_contact}.",
        about=order.code,
    )


def build_unconfirmed_message(order: OrderFacts) -> Reply:
    """Return the message that a confirmation was undone and the payment is checked again."""
    what = "it" if order.is_free else "the payment"
    return Reply(
        "unconfirmed",
        f"About order *{order.code}* (*{order.raffle.title}*): our confirmation was too early, we "
        f"are checking {what} once more. {build_stay_yours_phrase(order)} meanwhile; we will write "
        f"here. Questions? {order.raffle.seller_contact}.",
        about=order.code,
    )


def build_refunded_message(order: OrderFacts, *, note: str) -> Reply:
    """Return the message that a paid order was refunded; `note` may be empty."""
    if order.is_free:
        what = f"Order *{order.code}* (*{order.raffle.title}*) was taken back."
    else:
        what = (
            f"You get your {format_money(order.total, order.currency)} for order *{order.code}* "
            f"(*{order.raffle.title}*) back."
        )
    body = (
        f"{what}{build_note_sentence(note)}{_describe_lost_numbers(order)}\n"
        f"Questions? {order.raffle.seller_contact}."
    )
    return Reply(
        "refunded",
        body,
        buttons=choose_buttons(body, MENU_BUTTON, MY_TICKETS_BUTTON),
        about=order.code,
    )


def _describe_lost_numbers(order: OrderFacts) -> str:
    """Return that the order is over; empty if it only has its money back, after the draw."""
    if order.status is OrderStatus.PAID:
        return ""
    return (
        f" The order is over: the {pluralize_number(len(order.numbers))} "
        f"{format_order_numbers(order)} {choose_is_or_are(order)} not yours any more."
    )


_REJECT_REASON_TEXTS: Final[Mapping[RejectReason, str]] = {
    RejectReason.ILLEGIBLE: "we cannot read the receipt",
    RejectReason.WRONG_AMOUNT: "the amount is not the one of the order",
    RejectReason.NOT_CREDITED: "the money has not arrived in the account",
    RejectReason.REPEATED: "this receipt was used before",
    RejectReason.OTHER: "the receipt does not fit the order",
}


def build_rejected_message(
    order: OrderFacts, *, reason: RejectReason, note: str, now: datetime
) -> Reply:
    """Return the message that a proof was rejected.

    Args:
        order: the order; if it has ended, its numbers are not held any more.
        reason: the reason that the reviewer chose.
        note: the reviewer's own words; may be empty.
        now: the current time.

    """
    why = (
        f"{_REJECT_REASON_TEXTS[reason]} ({note.strip()})"
        if note.strip()
        else _REJECT_REASON_TEXTS[reason]
    )
    if not order.is_live:
        return _build_rejected_after_end_message(order, why=why)
    return Reply(
        "rejected",
        f"About order *{order.code}*: {why}. {build_stay_yours_phrase(order)} "
        f"until {format_order_deadline_for_notice(order, now=now)}. Please send a photo or "
        f"PDF of the right receipt ({format_money(order.total, order.currency)}) here. "
        f"Questions? {order.raffle.seller_contact}.",
        about=order.code,
    )


def _build_rejected_after_end_message(order: OrderFacts, *, why: str) -> Reply:
    """Return the message for an order that had ended, or that ends with the rejection."""
    body = (
        f"About order *{order.code}*: {why}. {describe_end(order)} and "
        f"{build_numbers_are(order, whose='the')} not held for you any more. "
        f"Questions? {order.raffle.seller_contact}."
    )
    return Reply(
        "rejected_late",
        body,
        buttons=choose_buttons(body, build_next_button(order), MY_TICKETS_BUTTON),
        about=order.code,
    )


def build_asked_again_message(order: OrderFacts, *, note: str) -> Reply:
    """Return the message that asks for a better proof; `note` may be empty."""
    why = f"\n{note.strip()}" if note.strip() else ""
    return Reply(
        "asked_again",
        f"About order *{order.code}*: could you send us one more photo or PDF of your receipt "
        f"({format_money(order.total, order.currency)}), so that we can check it?{why}\n"
        f"{build_stay_yours_phrase(order)} meanwhile.",
        about=order.code,
    )


def build_more_time_message(order: OrderFacts, *, now: datetime) -> Reply:
    """Return the message that there is more time to confirm a hold, or to pay an order."""
    note = "You have more time."
    if order.status is OrderStatus.DRAFT:
        told = orders.build_held_message(order, now=now, note=note)
    else:
        told = orders.build_still_to_pay_message(order, now=now, note=note)
    return replace(told, key="more_time")


def build_proof_attached_message(order: OrderFacts) -> Reply:
    """Return the message that staff assigned a proof to the order."""
    return Reply(
        "proof_attached",
        f"We have a receipt for order *{order.code}* now. {build_stay_yours_phrase(order)} "
        "while we check the "
        "payment; we will write here.",
        about=order.code,
    )


def build_order_made_message(order: OrderFacts) -> Reply:
    """Return the message that staff created an order from a proof without one."""
    return Reply(
        "order_made",
        f"We made order *{order.code}* from the receipt you sent: *{order.raffle.title}* · "
        f"{format_money(order.total, order.currency)}\n"
        f"{build_stay_yours_phrase(order)} while we check the payment; we will write here.",
        about=order.code,
    )


def build_proof_dismissed_message(seller: str, *, note: str) -> Reply:
    """Return the message that a proof was dismissed, because it pays no order."""
    why = f": {note.strip()}" if note.strip() else "."
    reach = f" Questions? {seller}." if seller else ""
    return Reply(
        "proof_dismissed",
        f"We looked at the picture you sent us and could not match it to an order{why}{reach}",
        buttons=(MENU_BUTTON, MY_TICKETS_BUTTON),
    )


def build_cancelled_by_seller_message(order: OrderFacts, *, reason: str) -> Reply:
    """Return the message that staff or an API client cancelled the order; `reason` may be empty."""
    reach = build_money_back_sentence(order) or f" Questions? {order.raffle.seller_contact}."
    body = (
        f"Order *{order.code}* was cancelled and {build_numbers_are(order)} free again."
        f"{build_note_sentence(reason, label='Reason: ')}{reach}"
    )
    return Reply(
        "cancelled_by_seller",
        body,
        buttons=choose_buttons(body, MENU_BUTTON, MY_TICKETS_BUTTON),
        about=order.code,
    )


def build_expired_message(order: OrderFacts) -> Reply:
    """Return the message that the order has expired."""
    if order.raffle.is_over:
        body = (
            f"Order *{order.code}* is over. {describe_end(order)} and "
            f"{build_numbers_are(order, whose='the')} not held for you any more. "
            f"Paid already? Please write to {order.raffle.seller_contact}."
        )
    else:
        body = (
            f"The time for *{format_order_numbers(order)}* ran out, so "
            f"{'it is' if len(order.numbers) == 1 else 'they are'} free again. "
            "Paid already? Just send the receipt here. Otherwise you can choose again."
        )
    return Reply(
        "expired", body, buttons=(build_next_button(order), MY_TICKETS_BUTTON), about=order.code
    )


def build_late_payment_message(order: OrderFacts, *, is_notice: bool = True) -> Reply:
    """Return the message that a late payment waits for the seller's decision, or for its refund.

    Args:
        order: the order.
        is_notice: whether it comes of our own accord; an answer has buttons that lead on.

    """
    if order.raffle.is_over:
        body = (
            f"Your payment for order *{order.code}* {_describe_too_late(order)}. "
            f"{order.raffle.seller_contact} will send your "
            f"{format_money(order.total, order.currency)} back."
        )
    else:
        body = (
            f"Your payment for order *{order.code}* {_describe_late(order)}"
            f" It is not lost: {order.raffle.seller_contact} will decide with you what to do."
        )
    buttons = () if is_notice else (MENU_BUTTON, MY_TICKETS_BUTTON)
    return Reply("late_payment", body, buttons=buttons, about=order.code)


def _describe_late(order: OrderFacts) -> str:
    match order.status:
        case OrderStatus.CANCELLED:
            return "is for an order that was cancelled."
        case (
            OrderStatus.EXPIRED | OrderStatus.DRAFT | OrderStatus.PENDING_PAYMENT | OrderStatus.PAID
        ):
            gone = "some of its numbers are" if len(order.numbers) != 1 else "its number is"
            return f"came after its time had run out, and {gone} gone."
        case _:
            assert_never(order.status)


def _describe_too_late(order: OrderFacts) -> str:
    """Return why a payment cannot be used, as the end of a sentence about the payment."""
    raffle = order.raffle
    if raffle.is_called_off:
        return f"cannot be used: *{raffle.title}* was called off"
    if order.status is OrderStatus.CANCELLED:
        return "came for an order that was cancelled"
    if raffle.draw_time_reached:
        return f"came too late for the draw of *{raffle.title}*"
    return "came after its time had run out"


def build_numbers_replaced_message(order: OrderFacts, *, old: Collection[int]) -> Reply:
    """Return the message that a late payment got other numbers.

    Args:
        order: the order with its new numbers.
        old: the numbers it had before; if they are the same, the message is a plain confirmation.

    """
    if set(old) == set(order.numbers):
        return build_paid_message(order)
    before = format_ticket_numbers(old, width=order.raffle.width)
    gone = "it was taken" if len(old) == 1 else "some of them were taken"
    return Reply(
        "numbers_replaced",
        f"Your payment for order *{order.code}* ({before}) came late and {gone} meanwhile, so "
        f"*{format_order_numbers(order)}* {choose_is_or_are(order)} yours "
        f"now.{build_draw_date_sentence(order)} Good luck!",
        about=order.code,
    )


def build_refund_noted_message(order: OrderFacts, *, note: str) -> Reply:
    """Return the message that a late payment is refunded; `note` may be empty."""
    how = f" {note.strip()}" if note.strip() else ""
    return Reply(
        "refund_noted",
        f"About order *{order.code}*: your payment {_describe_too_late(order)}, so you get "
        f"your {format_money(order.total, order.currency)} back.{how}\n"
        f"Questions? {order.raffle.seller_contact}.",
        buttons=(MENU_BUTTON, MY_TICKETS_BUTTON),
        about=order.code,
    )


def build_file_lost_message(
    order: OrderFacts | None, *, failure: FileFailure = FileFailure.UNREACHABLE
) -> Reply:
    """Return the message that a proof's file cannot be opened, which asks for another one.

    Args:
        order: the order it was sent for, if any.
        failure: the reason.

    """
    which = f" for order *{order.code}*" if order else ""
    problem, remedy = _FILE_FAILURE_SENTENCES[failure]
    return Reply(
        "file_lost",
        f"{problem.format(which=which)} {remedy}",
        about=order.code if order else "",
    )


_SEND_AGAIN: Final = "Please send the receipt again, as a photo or PDF."
_FILE_FAILURE_SENTENCES: Final[Mapping[FileFailure, tuple[str, str]]] = {
    FileFailure.GONE: ("WhatsApp no longer has the file you sent{which}.", _SEND_AGAIN),
    FileFailure.TOO_LARGE: (
        "The file you sent{which} has more than 16 MB.",
        "Please send a smaller one: a photo or screenshot of the receipt.",
    ),
    FileFailure.EMPTY: ("The file you sent{which} is empty.", _SEND_AGAIN),
    FileFailure.WRONG_TYPE: (
        "The file you sent{which} is neither a picture nor a PDF.",
        "Please send the receipt as a photo or PDF.",
    ),
    FileFailure.PROTECTED: (
        "The PDF you sent{which} needs a password, so nobody here can open it.",
        "Please send a screenshot of the receipt instead.",
    ),
    FileFailure.DAMAGED: ("The file you sent{which} is damaged.", _SEND_AGAIN),
    FileFailure.UNREACHABLE: ("I could not open the picture you sent{which}.", _SEND_AGAIN),
}
