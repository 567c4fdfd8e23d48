"""What buyers read when something changed while they were away. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from shared.conversation.taps import Do, write
from shared.conversation.texts.parts import MENU_BUTTON, MINE_BUTTON, are, numbers_of, until
from shared.conversation.values import OrderFacts, Reply
from shared.conversation.wording import day_and_time, money
from shared.core.enums import OrderStatus, RejectReason
from shared.whatsapp.messages import Button


def paid(order: OrderFacts) -> Reply:
    """The seller has the money."""
    draw = order.raffle.draw_at
    when = f" Draw: {day_and_time(draw, time_zone=order.raffle.time_zone)}." if draw else ""
    return Reply(
        "paid",
        f"Paid. *{numbers_of(order)}* {are(order)} yours.{when} Good luck!",
        about=order.code,
    )


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


def file_lost(order: OrderFacts | None) -> Reply:
    """The picture could not be fetched from WhatsApp."""
    which = f" for order *{order.code}*" if order else ""
    return Reply(
        "file_lost",
        f"I could not open the picture you sent{which}. Please send the receipt again, as a photo "
        "or PDF.",
        about=order.code if order else "",
    )
