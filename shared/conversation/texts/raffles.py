"""Texts for choosing: raffles, quantities and ticket numbers.

A note is put above another reply.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, assert_never

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.facts.values import OrderFacts, RaffleFacts
from shared.conversation.formatting import (
    format_count,
    format_money,
    format_near_time,
    format_numbers_as_sentence,
    format_time_left,
)
from shared.conversation.texts.draws import build_draw_method_note
from shared.conversation.texts.parts import (
    MENU_BUTTON,
    MY_TICKETS_BUTTON,
    WHO_WON_BUTTON,
    format_draw_time,
    format_few_order_numbers,
    format_order_deadline,
    pluralize_number,
)
from shared.conversation.values import Reply
from shared.core.enums import OrderStatus
from shared.whatsapp.messages import (
    ListRow,
    ReplyButton,
)

RAFFLES_PER_PAGE: Final = 9
"""Raffles on one page of the list; the tenth row turns the page."""


def build_no_raffles_message(seller: str, *, has_results: bool = False) -> Reply:
    """Return the message that no raffle is on sale.

    Args:
        seller: how to reach the seller; may be empty.
        has_results: whether a raffle of the buyer was drawn, or its draw is due.

    """
    reach = f" Questions? {seller}." if seller else ""
    return Reply(
        "no_raffles",
        f"There is no raffle on sale right now. Please come back soon.{reach}",
        buttons=(WHO_WON_BUTTON, MY_TICKETS_BUTTON) if has_results else (MY_TICKETS_BUTTON,),
    )


def build_raffle_list_message(
    raffles: Sequence[RaffleFacts], *, page: int = 0, note: str = ""
) -> Reply:
    """Return the list of raffles, one row for each; if there are more, a last row turns the page.

    Args:
        raffles: the raffles on sale.
        page: the page from 0; after the last page comes the first again.
        note: a text to put above the list.

    """
    if len(raffles) <= RAFFLES_PER_PAGE + 1:
        shown, more = raffles, False
    else:
        pages = -(-len(raffles) // RAFFLES_PER_PAGE)
        page %= pages
        shown = raffles[page * RAFFLES_PER_PAGE : (page + 1) * RAFFLES_PER_PAGE]
        more = True
    rows = [
        ListRow(build_button_id(ButtonAction.RAFFLE, r.id), r.title, _describe_raffle_row(r))
        for r in shown
    ]
    if more:
        rows.append(ListRow(build_button_id(ButtonAction.PAGE, page + 1), "More raffles …"))
    body = "Which raffle would you like? Tap *Raffles* and choose one."
    return Reply("raffle_list", body, rows=tuple(rows), list_button="Raffles").with_note_before(
        note
    )


def _describe_raffle_row(raffle: RaffleFacts) -> str:
    left = f"{format_count(raffle.available)} left" if raffle.available else "sold out"
    return f"{_describe_price(raffle)} · {left} · {raffle.prize}"


def _describe_price(raffle: RaffleFacts) -> str:
    if raffle.is_free:
        return "free"
    return f"{format_money(raffle.price, raffle.currency)} a number"


def build_raffle_card_message(
    raffle: RaffleFacts, *, live: Sequence[OrderFacts] = (), now: datetime
) -> Reply:
    """Return the card of one raffle: prize, price, draw date and free numbers.

    Args:
        raffle: the raffle.
        live: the buyer's live orders; three at most are mentioned.
        now: the current time.

    """
    head = f"*{raffle.title}* · win {raffle.prize}"
    lines = [head]
    if raffle.description:
        lines.append(raffle.description)
    age = "18+ only · " if raffle.adults_only else ""
    lines.append(
        f"{age}{_format_draw_date(raffle)}{_describe_price(raffle)} · {_describe_available(raffle)}"
    )
    lines += [_build_reminder(order, now=now) for order in live[:3]]
    if not raffle.available:
        return Reply("card_sold_out", "\n".join(lines), buttons=(MY_TICKETS_BUTTON,))
    return Reply(
        "card",
        "\n".join(lines),
        buttons=(
            ReplyButton(build_button_id(ButtonAction.RANDOM, raffle.id), "Random numbers"),
            ReplyButton(build_button_id(ButtonAction.PICK, raffle.id), "Pick my numbers"),
            MY_TICKETS_BUTTON,
        ),
    )


def _format_draw_date(raffle: RaffleFacts) -> str:
    method = build_draw_method_note(raffle)
    if raffle.draw_at is None:
        return f"Drawn when sold out{method} · " if raffle.draw_when_sold_out else ""
    return f"Draw: {format_draw_time(raffle)}{method} · "


def _describe_available(raffle: RaffleFacts) -> str:
    if not raffle.available:
        return "sold out"
    return f"{format_count(raffle.available)} of {format_count(raffle.number_count)} left"


def build_reminders_note(orders: Sequence[OrderFacts], *, now: datetime) -> str:
    """Return the note with live orders and their deadlines, three at most."""
    held = [order for order in orders if not order.has_lapsed]
    return "\n".join(_build_reminder(order, now=now) for order in held[:3])


def _build_reminder(order: OrderFacts, *, now: datetime) -> str:
    match order.status:
        case OrderStatus.DRAFT:
            return (
                f"Held for you until {format_order_deadline(order, now=now)}: "
                f"*{format_few_order_numbers(order)}*"
            )
        case OrderStatus.PENDING_PAYMENT if order.asked_again:
            return f"Your order *{order.code}* needs one more photo of the receipt."
        case OrderStatus.PENDING_PAYMENT if order.under_review:
            return f"Your order *{order.code}* is being checked."
        case OrderStatus.PENDING_PAYMENT:
            owed = "the seller" if order.is_free else format_money(order.total, order.currency)
            until = format_order_deadline(order, now=now)
            return f"Your order *{order.code}* waits for {owed} until {until}."
        case OrderStatus.PAID:
            return f"Your order *{order.code}* is complete."
        case OrderStatus.CANCELLED | OrderStatus.EXPIRED:
            return f"Your order *{order.code}* is over."
        case _:
            assert_never(order.status)


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


# ── choosing ──────────────────────────────────────────────────────────────────────────────────


def build_ask_quantity_message(raffle: RaffleFacts, *, note: str = "") -> Reply:
    """Return the question how many random numbers the buyer wants."""
    most = raffle.max_quantity
    least = raffle.min_per_order
    choices = [n for n in (1, 3, 5, 10, 20) if least <= n <= most][:3] or [least]
    span = f"{least} to {most}" if most > least else f"{least}"
    return Reply(
        "ask_quantity",
        f"How many numbers? {span}.",
        buttons=tuple(
            ReplyButton(build_button_id(ButtonAction.QUANTITY, raffle.id, n), str(n))
            for n in choices
        ),
    ).with_note_before(note)


def build_ask_numbers_message(raffle: RaffleFacts, *, note: str = "") -> Reply:
    """Return the question which ticket numbers the buyer wants, with examples."""
    free = [raffle.format_ticket_number(number) for number in raffle.example_numbers[:5]]
    hint = f"\nStill free, for example: {', '.join(free)}." if free else ""
    return Reply(
        "ask_numbers",
        f"Which numbers would you like, from {_format_number_range(raffle)}? "
        f"Write them like this: {_build_input_example(raffle)}{hint}",
        buttons=(
            ReplyButton(build_button_id(ButtonAction.RANDOM, raffle.id), "Random instead"),
            MENU_BUTTON,
        ),
    ).with_note_before(note)


def _format_number_range(raffle: RaffleFacts) -> str:
    first = raffle.format_ticket_number(raffle.first_number)
    last = raffle.format_ticket_number(raffle.last_number)
    return f"{first} to {last}"


def _build_input_example(raffle: RaffleFacts) -> str:
    if raffle.number_count < 21:  # noqa: PLR2004 - the longer example names numbers up to 20
        return raffle.format_ticket_number(raffle.first_number)
    single, first, last = map(raffle.format_ticket_number, (7, 13, 15))
    return f"{single}, {first}-{last}"


def build_quantity_out_of_bounds_note(raffle: RaffleFacts, *, quantity: int) -> str:
    """Return the note for a quantity below the minimum or above the maximum."""
    if quantity < raffle.min_per_order:
        least = raffle.min_per_order
        return f"At least {least} {pluralize_number(least)} at a time, please."
    return (
        f"{format_count(quantity)} is more than you can take now, which is "
        f"{format_count(raffle.max_quantity)}."
    )


def build_too_few_left_message(raffle: RaffleFacts, *, available: int) -> Reply:
    """Return the message that too few numbers are left, or none."""
    if available < raffle.min_per_order or not available:
        return Reply(
            "sold_out",
            f"I am sorry, *{raffle.title}* has just sold out.",
            buttons=(MENU_BUTTON, MY_TICKETS_BUTTON),
        )
    most = min(available, raffle.max_per_order)
    return Reply(
        "too_few_left",
        f"Only {format_count(available)} {pluralize_number(available)} left. How many would "
        "you like?",
        buttons=(
            ReplyButton(build_button_id(ButtonAction.QUANTITY, raffle.id, most), f"Take {most}"),
            MENU_BUTTON,
        ),
    )


def build_limit_reached_message(raffle: RaffleFacts, *, limit: int, remaining: int) -> Reply:
    """Return the message that a buyer would exceed the limit for one person.

    Args:
        raffle: the raffle.
        limit: the most numbers for one person.
        remaining: how many the buyer may still take.

    """
    rest = f" You can still take {remaining}." if remaining else ""
    buttons: tuple[ReplyButton, ...] = (MY_TICKETS_BUTTON, MENU_BUTTON)
    if remaining >= raffle.min_per_order:
        take = ReplyButton(
            build_button_id(ButtonAction.QUANTITY, raffle.id, remaining), f"{remaining} random"
        )
        buttons = (take, *buttons)
    return Reply(
        "limit_reached",
        f"In *{raffle.title}* one person can have up to {format_count(limit)} "
        f"{pluralize_number(limit)}.{rest}",
        buttons=buttons,
    )


def build_cooling_down_message(raffle: RaffleFacts, *, until: datetime, now: datetime) -> Reply:
    """Return the message that a buyer must wait after holds that ran out unpaid."""
    at = format_near_time(until, now=now, time_zone=raffle.time_zone)
    left = format_time_left(until, now=now)
    return Reply(
        "cooling_down",
        "The time for your last numbers ran out before you paid. You can take numbers again from "
        f"{at}{f' (in {left})' if left else ''}. Questions? {raffle.seller_contact}.",
        buttons=(MY_TICKETS_BUTTON, MENU_BUTTON),
    )


def build_unknown_numbers_note(raffle: RaffleFacts, *, unknown: Sequence[int]) -> str:
    """Return the note for numbers that the raffle does not have."""
    verb = "is not a number" if len(unknown) == 1 else "are not numbers"
    return (
        f"{format_numbers_as_sentence(unknown, width=raffle.width)} {verb} of this raffle: "
        f"they go from {_format_number_range(raffle)}."
    )


def build_numbers_taken_message(
    raffle: RaffleFacts, *, taken: Sequence[int], free: Sequence[int], neighbours: Sequence[int]
) -> Reply:
    """Return the message that some of the chosen numbers are taken.

    Args:
        raffle: the raffle.
        taken: the taken numbers.
        free: the free ones among the chosen numbers.
        neighbours: free numbers close to the taken ones.

    """
    verb = "is" if len(taken) == 1 else "are"
    lines = [f"{format_numbers_as_sentence(taken, width=raffle.width)} {verb} taken already."]
    if neighbours:
        lines.append(
            f"Free close by: {format_numbers_as_sentence(neighbours, width=raffle.width)}."
        )
    lines.append("Write the numbers you would like.")
    buttons: list[ReplyButton] = []
    take = build_button_id(ButtonAction.NUMBERS, raffle.id, *free)
    if raffle.min_per_order <= len(free) <= raffle.max_quantity and len(take) <= 200:  # noqa: PLR2004 - Meta's row id
        title = f"Take {format_numbers_as_sentence(free, width=raffle.width, at_most=3)}"
        fits = len(title) <= 20  # noqa: PLR2004 - Meta's limit
        buttons.append(ReplyButton(take, title if fits else f"Take the {len(free)} free"))
    buttons.append(ReplyButton(build_button_id(ButtonAction.RANDOM, raffle.id), "Random instead"))
    return Reply("numbers_taken", "\n".join(lines), buttons=(*buttons, MENU_BUTTON))
