"""Texts about receipts without an order: the question which one, and what becomes of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, assert_never

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.facts.values import OrderFacts
from shared.conversation.formatting import format_money
from shared.conversation.texts.parts import (
    MENU_BUTTON,
    MY_TICKETS_BUTTON,
    build_stay_yours_phrase,
    choose_page_rows,
    describe_end,
    format_few_order_numbers,
    format_order_deadline,
    format_order_numbers,
)
from shared.conversation.values import Reply
from shared.core.enums import OrderStatus
from shared.whatsapp.messages import MAX_BUTTONS, ListRow, ReplyButton

_LIST_BUTTON: Final = "Orders"


def build_which_order_message(
    proof_id: int, orders: Sequence[OrderFacts], *, page: int = 0
) -> Reply:
    """Return the question for which order a receipt is; many orders are shown in pages.

    Args:
        proof_id: the receipt, which was stored without an order.
        orders: the orders, in the order in which they are numbered.
        page: the page from 0.

    """
    ids = [build_button_id(ButtonAction.PROOF, proof_id, order.id) for order in orders]
    body, buttons, rows = _build_choices("I kept your receipt. Which order is it for?", orders, ids)
    shown = choose_page_rows(
        rows,
        page=page,
        build_page_id=lambda place: build_button_id(ButtonAction.PROOF_PAGE, proof_id, place),
    )
    return Reply("which_order", body, buttons, shown, _LIST_BUTTON)


def build_pay_which_message(
    orders: Sequence[OrderFacts], *, page: int = 0, note: str = ""
) -> Reply:
    """Return the question which of several unpaid orders is meant; many are shown in pages."""
    ids = [build_button_id(ButtonAction.PAY, order.id) for order in orders]
    body, buttons, rows = _build_choices("Which order do you mean?", orders, ids)
    shown = choose_page_rows(
        rows, page=page, build_page_id=lambda place: build_button_id(ButtonAction.PAY_PAGE, place)
    )
    return Reply("pay_which", body, buttons, shown, _LIST_BUTTON).with_note_before(note)


type _Choices = tuple[str, tuple[ReplyButton, ...], tuple[ListRow, ...]]


def _build_choices(question: str, orders: Sequence[OrderFacts], ids: Sequence[str]) -> _Choices:
    """Return the body, and the buttons or else the rows, of a question about orders."""
    choices = list(zip(ids, orders, strict=True))
    if len(choices) > MAX_BUTTONS:
        rows = (
            ListRow(tap_id, _label_order(order), _describe_order(order))
            for tap_id, order in choices
        )
        return question, (), tuple(rows)
    lines = (
        f"{place}. {order.code} · {format_money(order.total, order.currency)} · "
        f"*{order.raffle.title}*"
        for place, order in enumerate(orders, start=1)
    )
    buttons = (ReplyButton(tap_id, _label_order(order)) for tap_id, order in choices)
    return "\n".join([question, *lines]), tuple(buttons), ()


def _label_order(order: OrderFacts) -> str:
    return f"{order.code} {format_money(order.total, order.currency)}"


def _describe_order(order: OrderFacts) -> str:
    return f"{order.raffle.title} · {format_few_order_numbers(order)}"


def build_proof_for_several_message(orders: Sequence[OrderFacts]) -> Reply:
    """Return the acknowledgement of one receipt that pays several orders."""
    lines = [
        f"· *{order.code}* ({order.raffle.title}): {_describe_state(order)}" for order in orders
    ]
    return Reply(
        "proof_for_several",
        "\n".join(["Got it: one receipt for several orders.", *lines]),
        about=orders[0].code,
    )


def _describe_state(order: OrderFacts) -> str:
    seller = order.raffle.seller_contact
    if order.under_review:
        return f"{build_stay_yours_phrase(order)} while we check the payment."
    match order.status:
        case OrderStatus.PAID:
            return f"it is paid already; I keep the receipt for {seller}."
        case OrderStatus.DRAFT | OrderStatus.PENDING_PAYMENT:
            return f"{seller} will look at it once your other orders are checked."
        case OrderStatus.CANCELLED | OrderStatus.EXPIRED:
            return f"{describe_end(order)}; {seller} will decide with you what to do."
        case _:
            assert_never(order.status)


def build_orphan_proof_message(seller: str) -> Reply:
    """Return the acknowledgement of a receipt that no order of the buyer waits for."""
    reach = f" You can also reach {seller}." if seller else ""
    return Reply(
        "orphan_proof",
        "I kept your picture and show it to the seller, but you have no order that waits for a "
        f"payment.{reach}",
        buttons=(MENU_BUTTON, MY_TICKETS_BUTTON),
    )


def build_kept_for_seller_message(seller: str) -> Reply:
    """Return the message that a person will find the order of a receipt."""
    who = seller or "The seller"
    return Reply(
        "kept_for_seller",
        f"All right, I keep your receipt. {who} will look which order it is for.",
        buttons=(MENU_BUTTON, MY_TICKETS_BUTTON),
    )


def build_review_limit_message(order: OrderFacts) -> Reply:
    """Return the message that a receipt waits, because other orders are checked first."""
    return Reply(
        "review_limit",
        f"I kept your receipt for order *{order.code}* (*{order.raffle.title}*). We are still "
        f"checking the payments of your other orders, so {order.raffle.seller_contact} will look "
        "at this one later. Until then it is not certain that "
        f"{'its number stays' if len(order.numbers) == 1 else 'its numbers stay'} yours.",
        buttons=(MENU_BUTTON, MY_TICKETS_BUTTON),
        about=order.code,
    )


def add_time_left(reply: Reply, order: OrderFacts | None, *, now: datetime) -> Reply:
    """Return the message that a file is lost, with the deadline of the order it was for, if any."""
    if order is None or not order.wants_payment or order.has_lapsed:
        return reply
    until = (
        f" Order *{order.code}* is held for you until {format_order_deadline(order, now=now)}: "
        f"*{format_order_numbers(order)}*."
    )
    return replace(reply, body=reply.body + until)
