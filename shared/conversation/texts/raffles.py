"""What buyers read while they choose: raffles, quantities and numbers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from shared.conversation.button_ids import Do, write
from shared.conversation.formatting import count, day_and_time, moment, money, spoken
from shared.conversation.texts.parts import (
    MENU_BUTTON,
    MINE_BUTTON,
    numbers_of,
    until,
)
from shared.conversation.values import OrderFacts, RaffleFacts, Reply
from shared.core.enums import OrderStatus
from shared.whatsapp.messages import Button, Row

ROWS_A_PAGE: Final = 9
"""Raffles on one page of the list; the tenth row turns the page."""


def no_raffles(seller: str) -> Reply:
    """Nothing is on sale."""
    reach = f" Questions? {seller}." if seller else ""
    return Reply(
        "no_raffles",
        f"There is no raffle on sale right now. Please come back soon.{reach}",
        buttons=(MINE_BUTTON,),
    )


def raffle_list(raffles: Sequence[RaffleFacts], *, page: int = 0, note: str = "") -> Reply:
    """Several raffles are on sale: one row each, ten rows at most, the tenth turns the page."""
    if len(raffles) <= ROWS_A_PAGE + 1:
        shown, more = raffles, False
    else:
        pages = -(-len(raffles) // ROWS_A_PAGE)
        page %= pages
        shown = raffles[page * ROWS_A_PAGE : (page + 1) * ROWS_A_PAGE]
        more = True
    rows = [Row(write(Do.RAFFLE, r.id), r.title, _row_words(r)) for r in shown]
    if more:
        rows.append(Row(write(Do.PAGE, page + 1), "More raffles …"))
    body = "Which raffle would you like? Tap *Raffles* and choose one."
    return Reply("raffle_list", body, rows=tuple(rows), list_button="Raffles").after(note)


def _row_words(raffle: RaffleFacts) -> str:
    price = money(raffle.price, raffle.currency)
    left = f"{count(raffle.available)} left" if raffle.available else "sold out"
    return f"{price} a number · {left} · {raffle.prize}"


def card(raffle: RaffleFacts, *, live: Sequence[OrderFacts] = (), now: datetime) -> Reply:
    """One raffle: what can be won, what it costs, when it is drawn, how many are left."""
    head = f"*{raffle.title}* · win {raffle.prize}"
    lines = [head]
    if raffle.description:
        lines.append(raffle.description)
    lines.append(
        f"{_draw(raffle)}{money(raffle.price, raffle.currency)} a number · {_left(raffle)}"
    )
    lines += [_reminder(order, now=now) for order in live[:3]]
    if not raffle.available:
        return Reply("card_sold_out", "\n".join(lines), buttons=(MINE_BUTTON,))
    return Reply(
        "card",
        "\n".join(lines),
        buttons=(
            Button(write(Do.RANDOM, raffle.id), "Random numbers"),
            Button(write(Do.PICK, raffle.id), "Pick my numbers"),
            MINE_BUTTON,
        ),
    )


def _draw(raffle: RaffleFacts) -> str:
    if raffle.draw_at is None:
        return ""
    return f"Draw: {day_and_time(raffle.draw_at, time_zone=raffle.time_zone)} · "


def _left(raffle: RaffleFacts) -> str:
    if not raffle.available:
        return "sold out"
    return f"{count(raffle.available)} of {count(raffle.total)} left"


def reminders(orders: Sequence[OrderFacts], *, now: datetime) -> str:
    """Name live orders and their deadlines; a note in front of the list of raffles."""
    return "\n".join(_reminder(order, now=now) for order in orders[:3])


def _reminder(order: OrderFacts, *, now: datetime) -> str:
    if order.status is OrderStatus.DRAFT:
        return f"Held for you until {until(order, now=now)}: *{numbers_of(order)}*"
    if order.asked_again:
        return f"Your order *{order.code}* needs one more photo of the receipt."
    if order.under_review:
        return f"Your order *{order.code}* is being checked."
    owed = money(order.total, order.currency)
    return f"Your order *{order.code}* waits for {owed} until {until(order, now=now)}."


_NOT_SELLING: Final[Mapping[str, str]] = {
    "paused": "*{title}* is paused at the moment.",
    "closed": "The sale of *{title}* is over.",
    "over": "The sale of *{title}* is over.",
    "drawn": "*{title}* has been drawn already.",
    "not_yet": "The sale of *{title}* has not begun yet.",
    "draft": "*{title}* is not on sale.",
}


def not_selling(title: str, reason: str) -> str:
    """Say why a raffle sells nothing now; a note in front of the menu."""
    return _NOT_SELLING.get(reason, "*{title}* is not on sale.").format(title=title)


# ── choosing ──────────────────────────────────────────────────────────────────────────────────


def ask_quantity(raffle: RaffleFacts, *, note: str = "") -> Reply:
    """How many random numbers."""
    most = raffle.most
    few = [n for n in (1, 3, 5, 10, 20) if raffle.minimum <= n <= most][:3] or [raffle.minimum]
    span = f"{raffle.minimum} to {most}" if most > raffle.minimum else f"{raffle.minimum}"
    return Reply(
        "ask_quantity",
        f"How many numbers? {span}.",
        buttons=tuple(Button(write(Do.QUANTITY, raffle.id, n), str(n)) for n in few),
    ).after(note)


def ask_numbers(raffle: RaffleFacts, *, note: str = "") -> Reply:
    """Which numbers, with how to write them and a few that are free."""
    free = [raffle.written(number) for number in raffle.examples[:5]]
    hint = f"\nStill free, for example: {', '.join(free)}." if free else ""
    return Reply(
        "ask_numbers",
        f"Which numbers would you like, from {raffle.written(raffle.first)} to "
        f"{raffle.written(raffle.last)}? Write them like this: {_example(raffle)}{hint}",
        buttons=(Button(write(Do.RANDOM, raffle.id), "Random instead"), MENU_BUTTON),
    ).after(note)


def _example(raffle: RaffleFacts) -> str:
    if raffle.total < 21:  # noqa: PLR2004 - the longer example names numbers up to 20
        return raffle.written(raffle.first)
    return f"{raffle.written(7)}, {raffle.written(13)}-{raffle.written(15)}"


def quantity_or_number(raffle: RaffleFacts, number: int) -> Reply:
    """A bare number could be either: ask, never guess."""
    return Reply(
        "quantity_or_number",
        f"Do you mean {number} random {_noun(number)}, or the number {raffle.written(number)}?",
        buttons=(
            Button(write(Do.QUANTITY, raffle.id, number), f"{number} random"),
            Button(write(Do.NUMBERS, raffle.id, number), f"Number {raffle.written(number)}"),
            MENU_BUTTON,
        ),
    )


def _noun(quantity: int) -> str:
    return "number" if quantity == 1 else "numbers"


def off_limits(raffle: RaffleFacts, *, quantity: int) -> str:
    """Say that so many cannot be taken at once; a note in front of the question."""
    if quantity < raffle.minimum:
        return f"At least {raffle.minimum} {_noun(raffle.minimum)} at a time, please."
    return f"{count(quantity)} is more than you can take now, which is {count(raffle.most)}."


def too_few_left(raffle: RaffleFacts, *, available: int) -> Reply:
    """Somebody was faster: fewer are left than were asked for."""
    if available < raffle.minimum or not available:
        return Reply(
            "sold_out",
            f"I am sorry, *{raffle.title}* has just sold out.",
            buttons=(MENU_BUTTON, MINE_BUTTON),
        )
    most = min(available, raffle.maximum)
    return Reply(
        "too_few_left",
        f"Only {count(available)} {_noun(available)} left. How many would you like?",
        buttons=(Button(write(Do.QUANTITY, raffle.id, most), f"Take {most}"), MENU_BUTTON),
    )


def limit_reached(raffle: RaffleFacts, *, limit: int, remaining: int) -> Reply:
    """The buyer has as many as one person may have, or nearly."""
    rest = f" You can still take {remaining}." if remaining else ""
    buttons: tuple[Button, ...] = (MINE_BUTTON, MENU_BUTTON)
    if remaining >= raffle.minimum:
        take = Button(write(Do.QUANTITY, raffle.id, remaining), f"{remaining} random")
        buttons = (take, *buttons)
    return Reply(
        "limit_reached",
        f"In *{raffle.title}* one person can have up to {count(limit)} {_noun(limit)}.{rest}",
        buttons=buttons,
    )


def cooling_down(raffle: RaffleFacts, *, until: datetime, now: datetime) -> Reply:
    """Several holds in a row ran out unpaid."""
    at = moment(until, now=now, time_zone=raffle.time_zone)
    return Reply(
        "cooling_down",
        "Your last holds ran out unpaid, so others could have a chance too. "
        f"You can hold numbers again from {at}. Questions? {raffle.seller}.",
        buttons=(MINE_BUTTON, MENU_BUTTON),
    )


def unknown_numbers(raffle: RaffleFacts, *, unknown: Sequence[int]) -> str:
    """Say which numbers the raffle does not have; a note in front of the question."""
    verb = "is not a number" if len(unknown) == 1 else "are not numbers"
    return (
        f"{spoken(unknown, width=raffle.width)} {verb} of this raffle: they go from "
        f"{raffle.written(raffle.first)} to {raffle.written(raffle.last)}."
    )


def numbers_taken(
    raffle: RaffleFacts, *, taken: Sequence[int], free: Sequence[int], neighbours: Sequence[int]
) -> Reply:
    """Some belong to somebody else: name them, offer the rest and free ones close by."""
    verb = "is" if len(taken) == 1 else "are"
    lines = [f"{spoken(taken, width=raffle.width)} {verb} taken already."]
    if neighbours:
        lines.append(f"Free close by: {spoken(neighbours, width=raffle.width)}.")
    lines.append("Write the numbers you would like.")
    buttons: list[Button] = []
    take = write(Do.NUMBERS, raffle.id, *free)
    if raffle.minimum <= len(free) <= raffle.most and len(take) <= 200:  # noqa: PLR2004 - Meta's row id
        title = f"Take {spoken(free, width=raffle.width, at_most=3)}"
        buttons.append(Button(take, title if len(title) <= 20 else f"Take the {len(free)} free"))  # noqa: PLR2004
    buttons.append(Button(write(Do.RANDOM, raffle.id), "Random instead"))
    return Reply("numbers_taken", "\n".join(lines), buttons=(*buttons, MENU_BUTTON))
