"""Texts about raffles: the list, the card, and notes above other replies."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, assert_never

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.facts.values import OrderFacts, RaffleFacts
from shared.conversation.formatting import (
    format_count,
    format_day_and_time,
    format_money,
)
from shared.conversation.texts.draws import build_draw_method_note
from shared.conversation.texts.parts import (
    MY_TICKETS_BUTTON,
    WHO_WON_BUTTON,
    build_draw_date_sentence,
    build_long_reply,
    build_open_decision_sentence,
    choose_is_or_are,
    describe_payment,
    format_draw_time,
    format_few_order_numbers,
    format_order_deadline,
)
from shared.conversation.values import Reply
from shared.core.enums import OrderStatus
from shared.whatsapp.messages import MAX_ROWS, ROW_TITLE_LIMIT, ListRow, ReplyButton

MAX_REMINDERS: Final = 3
"""Orders of a buyer that are mentioned above a menu."""


def build_no_raffles_message(
    seller: str,
    *,
    orders: Sequence[OrderFacts] = (),
    has_results: bool = False,
    now: datetime,
    note: str = "",
) -> Reply:
    """Return the message that no raffle is on sale, with what the buyer owns and owes.

    The only order that waits for its payment is shown with the payment instructions.

    Args:
        seller: how to reach the seller; may be empty.
        orders: the buyer's orders.
        has_results: whether a raffle of the buyer was drawn, or its draw is due.
        now: the current time.
        note: a text to put above the message.

    """
    reach = f" Questions? {seller}." if seller else ""
    reminded = list_reminded_orders(orders, now=now)
    unpaid = [order for order in reminded if order.wants_payment]
    lines = [
        describe_payment(order, now=now) if unpaid == [order] else _build_reminder(order, now=now)
        for order in reminded[:MAX_REMINDERS]
    ]
    lines += _describe_owned(orders)
    later = "" if lines else " Please come back soon."
    nothing = f"There is no raffle on sale right now.{later}{reach}"
    body = "\n\n".join([nothing, *lines])
    buttons = _build_confirm_buttons(reminded, now=now)
    if len(unpaid) > 1:
        pay = build_button_id(ButtonAction.PAY, unpaid[0].id)
        buttons = [*buttons, ReplyButton(pay, f"Pay {unpaid[0].code}")]
    if has_results:
        buttons = [*buttons, WHO_WON_BUTTON]
    text = f"{note}\n\n{body}" if note else body
    return build_long_reply("no_raffles", text, [*buttons, MY_TICKETS_BUTTON])


def _describe_owned(orders: Sequence[OrderFacts]) -> list[str]:
    """Return the latest paid orders whose draw is still to come, a line each."""
    owned = [
        order
        for order in reversed(orders)
        if order.status is OrderStatus.PAID
        and not (order.raffle.is_drawn or order.raffle.is_called_off)
    ]
    lines = [
        f"*{order.raffle.title}*: *{format_few_order_numbers(order)}* {choose_is_or_are(order)} "
        f"yours.{build_draw_date_sentence(order)}"
        for order in owned[:MAX_REMINDERS]
    ]
    return lines if len(owned) <= MAX_REMINDERS else [*lines, "More: write *my tickets*."]


def build_raffle_list_message(
    raffles: Sequence[RaffleFacts],
    *,
    page: int = 0,
    orders: Sequence[OrderFacts] = (),
    now: datetime,
    note: str = "",
) -> Reply:
    """Return the list of raffles, one row for each; if there are more, a last row turns the page.

    The first rows confirm what the buyer holds.

    Args:
        raffles: the raffles on sale.
        page: the page from 0; after the last page comes the first again.
        orders: the buyer's orders that are mentioned above the list.
        now: the current time.
        note: a text to put above all that.

    """
    confirm = [
        ListRow(button.id, button.title, _describe_hold(order, now=now))
        for order in _list_holds(orders, now=now)
        for button in _build_confirm_buttons([order], now=now)
    ]
    room = MAX_ROWS - len(confirm)
    if len(raffles) <= room:
        shown, more = raffles, False
    else:
        pages = -(-len(raffles) // (room - 1))
        page %= pages
        shown = raffles[page * (room - 1) : (page + 1) * (room - 1)]
        more = True
    rows = [
        ListRow(
            build_button_id(ButtonAction.RAFFLE, r.id), r.title, _describe_raffle_row(r, raffles)
        )
        for r in shown
    ]
    if more:
        rows.append(ListRow(build_button_id(ButtonAction.PAGE, page + 1), "More raffles …"))
    label = "Confirm or choose" if confirm else "Raffles"
    also = " or confirm what is held for you" if confirm else ""
    body = f"Which raffle would you like? Tap *{label}* and choose one{also}."
    return (
        Reply("raffle_list", body, rows=(*confirm, *rows), list_button=label)
        .with_note_before(build_reminders_note(orders, now=now))
        .with_note_before(note)
    )


def _list_holds(orders: Sequence[OrderFacts], *, now: datetime) -> list[OrderFacts]:
    """Return the holds that a menu offers to confirm, the newest first."""
    return [order for order in reversed(orders) if order.can_be_confirmed(now)][:MAX_REMINDERS]


def _build_confirm_buttons(orders: Sequence[OrderFacts], *, now: datetime) -> list[ReplyButton]:
    """Return a button for each hold."""
    return [
        ReplyButton(build_button_id(ButtonAction.CONFIRM, order.id), f"Confirm {order.code}")
        for order in _list_holds(orders, now=now)
    ]


def _describe_hold(order: OrderFacts, *, now: datetime) -> str:
    return f"until {format_order_deadline(order, now=now)} · {format_few_order_numbers(order)}"


def _describe_raffle_row(raffle: RaffleFacts, raffles: Sequence[RaffleFacts]) -> str:
    """Return the line below a raffle in a list; it tells raffles with one title apart."""
    shown = raffle.title[: ROW_TITLE_LIMIT - 1].casefold()
    alike = [each for each in raffles if each.title[: ROW_TITLE_LIMIT - 1].casefold() == shown]
    if len(alike) == 1:
        return _summarise_raffle(raffle)
    days = [_format_draw_day(each) for each in alike]
    day = _format_draw_day(raffle)
    mark = f"draw {day}" if day and days.count(day) == 1 else f"raffle {raffle.id}"
    return f"{mark} · {_summarise_raffle(raffle)}"


def _format_draw_day(raffle: RaffleFacts) -> str:
    """Return "Sat 12 Dec, 20:00"; empty if the raffle has no date."""
    if raffle.draw_at is None:
        return ""
    return format_day_and_time(raffle.draw_at, time_zone=raffle.time_zone)


def _summarise_raffle(raffle: RaffleFacts) -> str:
    left = f"{format_count(raffle.available)} left" if raffle.available else "sold out"
    return f"{_describe_price(raffle)} · {left} · {raffle.prize}"


def _describe_price(raffle: RaffleFacts) -> str:
    if raffle.is_free:
        return "free"
    return f"{format_money(raffle.price, raffle.currency)} a number"


def build_raffle_card_message(
    raffle: RaffleFacts, *, orders: Sequence[OrderFacts] = (), now: datetime, note: str = ""
) -> Reply:
    """Return the card of one raffle: prize, price, draw date and free numbers.

    Args:
        raffle: the raffle.
        orders: the buyer's orders that are mentioned; a hold can be confirmed with a button.
        now: the current time.
        note: a text to put above the card.

    """
    lines = [f"*{raffle.title}* · win {raffle.prize}"]
    if raffle.description:
        lines.append(raffle.description)
    age = "18+ only · " if raffle.adults_only else ""
    lines.append(
        f"{age}{_format_draw_date(raffle)}{_describe_price(raffle)} · {_describe_available(raffle)}"
    )
    reminders = build_reminders_note(orders, now=now, raffle=raffle)
    body = "\n".join(filter(None, [f"{note}\n" if note else "", *lines, reminders]))
    confirm = _build_confirm_buttons(orders, now=now)
    if not raffle.available:
        return build_long_reply("card_sold_out", body, [*confirm, MY_TICKETS_BUTTON])
    choose = [
        ReplyButton(build_button_id(ButtonAction.RANDOM, raffle.id), "Random numbers"),
        ReplyButton(build_button_id(ButtonAction.PICK, raffle.id), "Pick my numbers"),
    ]
    if len(confirm) == 1:
        return build_long_reply("card", body, [*confirm, *choose])
    return build_long_reply("card", body, [*confirm, *choose, MY_TICKETS_BUTTON])


def _format_draw_date(raffle: RaffleFacts) -> str:
    method = build_draw_method_note(raffle)
    if raffle.draw_at is None:
        return f"Drawn when sold out{method} · " if raffle.draw_when_sold_out else ""
    return f"Draw: {format_draw_time(raffle)}{method} · "


def _describe_available(raffle: RaffleFacts) -> str:
    if not raffle.available:
        return "sold out"
    return f"{format_count(raffle.available)} of {format_count(raffle.number_count)} left"


def list_reminded_orders(orders: Sequence[OrderFacts], *, now: datetime) -> list[OrderFacts]:
    """Return the orders of which something is open, those that wait for their buyer first."""
    is_open = [
        order
        for order in orders
        if order.needs_decision
        or order.can_be_confirmed(now)
        or (order.status is OrderStatus.PENDING_PAYMENT and not order.has_lapsed)
    ]
    return sorted(is_open, key=lambda order: not order.wants_receipt)


def build_reminders_note(
    orders: Sequence[OrderFacts], *, now: datetime, raffle: RaffleFacts | None = None
) -> str:
    """Return the note with the buyer's open orders and their deadlines, three at most.

    Args:
        orders: the buyer's orders.
        now: the current time.
        raffle: the raffle that the message is about; a hold in another one names its raffle.

    """
    reminded = list_reminded_orders(orders, now=now)
    lines = [_build_reminder(order, now=now, raffle=raffle) for order in reminded[:MAX_REMINDERS]]
    return "\n".join(
        lines if len(reminded) <= MAX_REMINDERS else [*lines, "More: write *my tickets*."]
    )


def _build_reminder(order: OrderFacts, *, now: datetime, raffle: RaffleFacts | None = None) -> str:
    match order.status:
        case OrderStatus.DRAFT:
            is_here = raffle is not None and raffle.id == order.raffle.id
            where = "" if is_here else f" in *{order.raffle.title}*"
            return (
                f"Held for you{where} until {format_order_deadline(order, now=now)}: "
                f"*{format_few_order_numbers(order)}*"
            )
        case OrderStatus.PENDING_PAYMENT if order.asked_again:
            return f"Your order *{order.code}* needs one more photo of the receipt."
        case OrderStatus.PENDING_PAYMENT if order.under_review:
            return f"Your order *{order.code}* is being checked."
        case OrderStatus.PENDING_PAYMENT if order.is_free:
            return f"Your order *{order.code}* waits for the seller to confirm it."
        case OrderStatus.PENDING_PAYMENT:
            owed = format_money(order.total, order.currency)
            until = format_order_deadline(order, now=now)
            return f"Your order *{order.code}* waits for {owed} until {until}."
        case OrderStatus.PAID:
            return f"Your order *{order.code}* is complete."
        case OrderStatus.CANCELLED | OrderStatus.EXPIRED:
            return f"Your order *{order.code}* is over.{build_open_decision_sentence(order)}"
        case _:
            assert_never(order.status)


def build_which_raffle_note() -> str:
    """Return the note for numbers that may be for several raffles."""
    return "Which raffle are the numbers for?"


NOT_SELLING_TEXTS: Final[Mapping[str, str]] = {
    "draft": "*{title}* is not on sale.",
    "paused": "*{title}* is paused at the moment.",
    "closed": "The sale of *{title}* is over.",
    "sealed": "The sale of *{title}* is over: its draw is due.",
    "drawn": "*{title}* has been drawn already: write *who won*.",
    "cancelled": "*{title}* was called off.",
    "not_yet": "The sale of *{title}* has not begun yet.",
    "over": "The sale of *{title}* is over.",
}
"""A text for each reason of `availability.get_not_selling_reason`."""


def build_not_selling_note(title: str, reason: str) -> str:
    """Return the note that explains why a raffle is not on sale; without a reason, just that."""
    return NOT_SELLING_TEXTS.get(reason, NOT_SELLING_TEXTS["draft"]).format(title=title)


def build_unknown_link_note() -> str:
    """Return the note that the raffle of a link is not known: it may be a draft."""
    return "I cannot find the raffle of that link. It may not be on sale yet."
