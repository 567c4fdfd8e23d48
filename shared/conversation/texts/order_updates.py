"""What buyers read when something changed while they were away. Pure."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from shared.conversation.button_ids import Do, write
from shared.conversation.formatting import day_and_time, money, numbers
from shared.conversation.texts.parts import (
    MENU_BUTTON,
    MINE_BUTTON,
    are,
    numbers_of,
    stay_yours,
    until,
)
from shared.conversation.values import OrderFacts, Reply
from shared.core.enums import OrderStatus, RejectReason
from shared.whatsapp.messages import Button


def paid(order: OrderFacts) -> Reply:
    """The seller has the money."""
    return Reply(
        "paid",
        f"Paid. *{numbers_of(order)}* {are(order)} yours.{_draw(order)} Good luck!",
        about=order.code,
    )


def _draw(order: OrderFacts) -> str:
    draw = order.raffle.draw_at
    return f" Draw: {day_and_time(draw, time_zone=order.raffle.time_zone)}." if draw else ""


_REJECTED: Final[Mapping[RejectReason, str]] = {
    RejectReason.ILLEGIBLE: "we cannot read the receipt",
    RejectReason.WRONG_AMOUNT: "the amount is not the one of the order",
    RejectReason.NOT_CREDITED: "the money has not arrived in the account",
    RejectReason.REPEATED: "this receipt was used before",
    RejectReason.OTHER: "the receipt does not fit the order",
}


def rejected(order: OrderFacts, *, reason: RejectReason, note: str, now: datetime) -> Reply:
    """The seller could not accept the receipt; the clock runs again, unless the order is over."""
    why = f"{_REJECTED[reason]} ({note.strip()})" if note.strip() else _REJECTED[reason]
    if not order.live:
        return Reply(
            "rejected_late",
            f"About order *{order.code}*: {why}. Its time is over and its numbers are not held "
            f"for you any more. Questions? {order.raffle.seller}.",
            buttons=(Button(write(Do.RAFFLE, order.raffle.id), "Choose anew"), MINE_BUTTON),
            about=order.code,
        )
    return Reply(
        "rejected",
        f"About order *{order.code}*: {why}. Your numbers *{numbers_of(order)}* stay held until "
        f"{until(order, now=now)}. Please send a photo or PDF of the right receipt "
        f"({money(order.total, order.currency)}) here. Questions? {order.raffle.seller}.",
        about=order.code,
    )


def asked_again(order: OrderFacts, *, note: str) -> Reply:
    """The receipt does not say enough yet; nothing is lost meanwhile."""
    why = f"\n{note.strip()}" if note.strip() else ""
    return Reply(
        "asked_again",
        f"About order *{order.code}*: could you send us one more photo or PDF of your receipt "
        f"({money(order.total, order.currency)}), so that we can check it?{why}\n"
        f"{stay_yours(order)} meanwhile.",
        about=order.code,
    )


def proof_attached(order: OrderFacts) -> Reply:
    """The seller found the order that a receipt belongs to."""
    return Reply(
        "proof_attached",
        f"We have a receipt for order *{order.code}* now. {stay_yours(order)} while we check the "
        "payment; we will write here.",
        about=order.code,
    )


def order_made(order: OrderFacts) -> Reply:
    """The seller made an order from a receipt that had none."""
    return Reply(
        "order_made",
        f"We made order *{order.code}* from the receipt you sent: *{order.raffle.title}* · "
        f"{money(order.total, order.currency)}\n"
        f"{stay_yours(order)} while we check the payment; we will write here.",
        about=order.code,
    )


def proof_dismissed(seller: str, *, note: str) -> Reply:
    """The seller knows of nothing that the picture could pay."""
    why = f": {note.strip()}" if note.strip() else "."
    reach = f" Questions? {seller}." if seller else ""
    return Reply(
        "proof_dismissed",
        f"We looked at the picture you sent us and could not put it to an order{why}{reach}",
        buttons=(MENU_BUTTON, MINE_BUTTON),
    )


def cancelled_by_seller(order: OrderFacts, *, reason: str) -> Reply:
    """The seller or a program cancelled the order."""
    why = f" Reason: {reason.strip()}." if reason.strip() else ""
    return Reply(
        "cancelled_by_seller",
        f"Order *{order.code}* was cancelled and its numbers are free again.{why} "
        f"Questions? {order.raffle.seller}.",
        buttons=(MENU_BUTTON, MINE_BUTTON),
        about=order.code,
    )


def expired(order: OrderFacts) -> Reply:
    """Time ran out; the numbers are free again."""
    if order.code and order.status is OrderStatus.EXPIRED:
        what = f"The time for *{numbers_of(order)}* ran out, so they are free again."
    else:
        what = f"Order *{order.code}* is over."
    return Reply(
        "expired",
        f"{what} Paid already? Just send the receipt here. Otherwise you can choose anew.",
        buttons=(Button(write(Do.RAFFLE, order.raffle.id), "Choose anew"), MINE_BUTTON),
        about=order.code,
    )


def late_payment(order: OrderFacts) -> Reply:
    """Money came for an order whose numbers are gone."""
    return Reply(
        "late_payment",
        f"Your payment for order *{order.code}* came after its time had run out and some of its "
        f"numbers are gone. Nothing is lost: {order.raffle.seller} will decide with you.",
        about=order.code,
    )


def numbers_replaced(order: OrderFacts, *, old: Collection[int]) -> Reply:
    """Other numbers in place of those that were gone when the money came."""
    if set(old) == set(order.numbers):
        return paid(order)
    before = numbers(old, width=order.raffle.width)
    gone = "it was taken" if len(old) == 1 else "some of them were taken"
    return Reply(
        "numbers_replaced",
        f"Your payment for order *{order.code}* ({before}) came late and {gone} meanwhile, so "
        f"*{numbers_of(order)}* {are(order)} yours now.{_draw(order)} Good luck!",
        about=order.code,
    )


def refund_noted(order: OrderFacts, *, note: str) -> Reply:
    """The money goes back."""
    how = f" {note.strip()}" if note.strip() else ""
    return Reply(
        "refund_noted",
        f"About order *{order.code}*: your payment came after its time had run out, so you get "
        f"your {money(order.total, order.currency)} back.{how}\n"
        f"Questions? {order.raffle.seller}.",
        buttons=(MENU_BUTTON, MINE_BUTTON),
        about=order.code,
    )


def file_lost(order: OrderFacts | None) -> Reply:
    """The picture could not be fetched from WhatsApp."""
    which = f" for order *{order.code}*" if order else ""
    return Reply(
        "file_lost",
        f"I could not open the picture you sent{which}. Please send the receipt again, as a photo "
        "or PDF.",
        about=order.code if order else "",
    )
