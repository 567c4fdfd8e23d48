"""What buyers read about their orders: held, to be paid, checked, cancelled, theirs."""

from collections.abc import Sequence
from datetime import datetime

from shared.conversation.button_ids import Do, write
from shared.conversation.formatting import day_and_time, money
from shared.conversation.texts.parts import (
    BUY_BUTTON,
    MENU_BUTTON,
    MINE_BUTTON,
    are,
    numbers_of,
    stay_yours,
    until,
)
from shared.conversation.values import OrderFacts, Reply
from shared.core.enums import OrderStatus
from shared.whatsapp.messages import Button, Row

# ── holding and paying ────────────────────────────────────────────────────────────────────────


def held(order: OrderFacts, *, now: datetime, note: str = "") -> Reply:
    """The numbers are kept for a while; the buyer decides."""
    return Reply(
        "held",
        f"Held for you until {until(order, now=now)}:  *{numbers_of(order)}*\n"
        f"Total {money(order.total, order.currency)}",
        buttons=(
            Button(write(Do.CONFIRM, order.id), "Confirm"),
            Button(write(Do.OTHERS, order.id), "Other numbers"),
            Button(write(Do.CANCEL, order.id), "Cancel"),
        ),
        about=order.code,
    ).after(note)


def how_to_pay(order: OrderFacts, *, now: datetime, note: str = "") -> Reply:
    """The order, the amount, the account, until when, and what to send then."""
    owed = money(order.total, order.currency)
    return Reply(
        "how_to_pay",
        f"Order *{order.code}* · please pay {owed} by {until(order, now=now)}\n"
        f"{order.raffle.payment.strip()}\n"
        f"Write {order.code} as the reference.\n"
        "Then send a photo or PDF of the receipt here.",
        about=order.code,
    ).after(note)


def still_to_pay(order: OrderFacts, *, now: datetime, note: str = "") -> Reply:
    """A reminder of the order that waits for its proof."""
    owed = money(order.total, order.currency)
    return Reply(
        "still_to_pay",
        f"Order *{order.code}* waits for a photo or PDF of your receipt: {owed} by "
        f"{until(order, now=now)}.",
        buttons=(
            Button(write(Do.PAY, order.id), "How to pay"),
            Button(write(Do.CANCEL, order.id), "Cancel order"),
            MENU_BUTTON,
        ),
        about=order.code,
    ).after(note)


def proof_received(order: OrderFacts) -> Reply:
    """The receipt is with the seller."""
    return Reply(
        "proof_received",
        "Got it. Your numbers stay yours while we check the payment; we will write here.",
        about=order.code,
    )


def proof_added(order: OrderFacts) -> Reply:
    """One more picture for an order under review, or one that is paid."""
    if order.status is OrderStatus.PAID:
        body = f"Thank you, I added it to order *{order.code}*, which is paid already."
    else:
        body = f"Thank you, I added it to order *{order.code}*. We are checking the payment."
    return Reply("proof_added", body, about=order.code)


def late_proof(order: OrderFacts, *, secured: bool) -> Reply:
    """The receipt came after the order had ended."""
    if secured:
        body = (
            f"Got it. The time of order *{order.code}* had run out, but *{numbers_of(order)}* "
            "were still free and are kept for you while we check the payment."
        )
        return Reply("late_proof_secured", body, about=order.code)
    body = (
        f"Got it. The time of order *{order.code}* had run out and some of its numbers are gone. "
        f"Nothing is lost: {order.raffle.seller} will decide with you what to do."
    )
    return Reply("late_proof", body, about=order.code)


def which_order(proof_id: int, orders: Sequence[OrderFacts]) -> Reply:
    """Several orders want a proof."""
    buttons = tuple(
        Button(
            write(Do.PROOF, proof_id, order.id),
            f"{order.code} {money(order.total, order.currency)}",
        )
        for order in orders[:3]
    )
    return Reply("which_order", "I kept your picture. Which order is it for?", buttons=buttons)


def orphan_proof(seller: str) -> Reply:
    """A picture without any order it could belong to."""
    reach = f" You can also reach {seller}." if seller else ""
    return Reply(
        "orphan_proof",
        "I kept your picture and show it to the seller, but you have no order that waits for a "
        f"payment.{reach}",
        buttons=(MENU_BUTTON, MINE_BUTTON),
    )


# ── cancelling ────────────────────────────────────────────────────────────────────────────────


def cancelled(order: OrderFacts) -> Reply:
    """The buyer's wish is done."""
    return Reply(
        "cancelled",
        f"Cancelled. *{numbers_of(order)}* are free again and nothing is owed."
        if len(order.numbers) != 1
        else f"Cancelled. *{numbers_of(order)}* is free again and nothing is owed.",
        buttons=(MENU_BUTTON, MINE_BUTTON),
        about=order.code,
    )


def nothing_to_cancel() -> str:
    """Say that there is no order; a note in front of the menu."""
    return "You have no order to cancel."


def cancel_which(orders: Sequence[OrderFacts]) -> Reply:
    """Several orders could be meant."""
    rows = tuple(
        Row(write(Do.CANCEL, order.id), order.code, f"{numbers_of(order)} · {order.raffle.title}")
        for order in orders[:9]
    )
    keep = Row(write(Do.KEEP, orders[0].id), "Keep them all")
    return Reply(
        "cancel_which", "Which order shall I cancel?", rows=(*rows, keep), list_button="Orders"
    )


def cancel_surely(order: OrderFacts, *, meant: bool = True) -> Reply:
    """Ask once more: the payment is being checked, or the word was not quite CANCEL."""
    if order.under_review:
        body = f"We are checking your payment for order *{order.code}*. Cancel it all the same?"
    elif meant:
        body = f"Cancel order *{order.code}* ({numbers_of(order)})?"
    else:
        body = f"Did you mean CANCEL? That would give *{numbers_of(order)}* back."
    return Reply(
        "cancel_surely",
        body,
        buttons=(
            Button(write(Do.CANCEL_SURELY, order.id), "Yes, cancel it"),
            Button(write(Do.KEEP, order.id), "No, keep it"),
        ),
        about=order.code,
    )


def cannot_cancel(order: OrderFacts) -> Reply:
    """It is paid, or over already."""
    if order.status is OrderStatus.PAID:
        body = (
            f"Order *{order.code}* is paid, I cannot cancel it. Please ask {order.raffle.seller}."
        )
    else:
        body = f"Order *{order.code}* is not open any more, there is nothing to cancel."
    return Reply("cannot_cancel", body, buttons=(MENU_BUTTON, MINE_BUTTON), about=order.code)


# ── where things stand ────────────────────────────────────────────────────────────────────────


def my_tickets(orders: Sequence[OrderFacts], *, now: datetime) -> Reply:
    """Everything of this buyer, newest first."""
    if not orders:
        return Reply("my_tickets", "You have no numbers yet.", buttons=(MENU_BUTTON,))
    newest = sorted(orders, key=lambda order: order.id, reverse=True)
    body = "\n\n".join(_ticket_line(order, now=now) for order in newest[:10])
    return Reply("my_tickets", body, buttons=_ticket_buttons(newest) if len(body) <= 1024 else ())  # noqa: PLR2004 - Meta's limit


def _ticket_line(order: OrderFacts, *, now: datetime) -> str:
    return (
        f"*{order.raffle.title}* · {order.code}\n{numbers_of(order)}\n{_standing(order, now=now)}"
    )


def _standing(order: OrderFacts, *, now: datetime) -> str:
    match order.status:
        case OrderStatus.PAID:
            draw = order.raffle.draw_at
            drawn = (
                f" Draw: {day_and_time(draw, time_zone=order.raffle.time_zone)}." if draw else ""
            )
            return f"Paid: yours.{drawn}"
        case OrderStatus.DRAFT:
            return f"Held until {until(order, now=now)}, not confirmed yet."
        case OrderStatus.PENDING_PAYMENT if order.asked_again:
            return "One more photo or PDF of the receipt is needed: please send it here."
        case OrderStatus.PENDING_PAYMENT if order.under_review:
            return "Receipt received, being checked."
        case OrderStatus.PENDING_PAYMENT:
            owed = money(order.total, order.currency)
            return f"To be paid: {owed} by {until(order, now=now)}."
        case OrderStatus.EXPIRED:
            return "The time to pay ran out."
        case OrderStatus.CANCELLED:
            return "Cancelled."


def _ticket_buttons(newest: Sequence[OrderFacts]) -> tuple[Button, ...]:
    for order in newest:
        if order.status is OrderStatus.DRAFT:
            confirm = Button(write(Do.CONFIRM, order.id), f"Confirm {order.code}")
            return (confirm, Button(write(Do.CANCEL, order.id), "Cancel it"), MENU_BUTTON)
        if order.wants_payment:
            return (Button(write(Do.PAY, order.id), f"Pay {order.code}"), MENU_BUTTON)
    return (BUY_BUTTON,)


def under_review(order: OrderFacts) -> Reply:
    """The receipt is with the seller; nothing to do, unless a better one was asked for."""
    if order.asked_again:
        body = (
            f"For order *{order.code}* we need one more photo or PDF of your receipt: please send "
            f"it here. {stay_yours(order)} meanwhile."
        )
        return Reply("under_review", body, buttons=(BUY_BUTTON, MINE_BUTTON), about=order.code)
    return Reply(
        "under_review",
        f"We are checking the payment of order *{order.code}*. "
        f"Your numbers *{numbers_of(order)}* stay yours meanwhile; we will write here.",
        buttons=(BUY_BUTTON, MINE_BUTTON),
        about=order.code,
    )


def all_done(order: OrderFacts) -> Reply:
    """The latest purchase is paid."""
    return Reply(
        "all_done",
        f"Order *{order.code}* is paid: *{numbers_of(order)}* {are(order)} yours. Good luck!",
        buttons=(BUY_BUTTON, MINE_BUTTON),
        about=order.code,
    )


def lapsed(order: OrderFacts) -> str:
    """Say that an order ended meanwhile; a note in front of what comes next."""
    if order.status is OrderStatus.CANCELLED:
        return f"Order {order.code} has been cancelled; its numbers are free again."
    return f"The time for {order.code} ran out; its numbers are free again."


def one_at_a_time() -> str:
    """Say why nothing new is held; a note in front of the order that is still to be paid."""
    return "One order at a time: this one still waits for its payment."


def paid_without_proof() -> str:
    """Answer "done" kindly; a note in front of what is still missing."""
    return "Thank you! I only need to see the receipt."


def not_possible() -> str:
    """Say that it cannot be done now; a note in front of where things stand."""
    return "That is not possible any more."


def kept(order: OrderFacts) -> str:
    """Say that nothing was cancelled; a note in front of where things stand."""
    return f"Order {order.code} stays as it is."
