"""Everything buyers read: plain warm English, each text a function of the values it names. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from shared.conversation.taps import Do, write
from shared.conversation.values import OrderFacts, RaffleFacts, Reply
from shared.conversation.wording import count, day_and_time, moment, money, numbers, spoken
from shared.core.enums import OrderStatus, RejectReason
from shared.whatsapp.messages import Button, Row

MENU_BUTTON: Final = Button(write(Do.MENU), "Menu")
MINE_BUTTON: Final = Button(write(Do.MINE), "My tickets")
BUY_BUTTON: Final = Button(write(Do.MENU), "Buy more")
ROWS_A_PAGE: Final = 9
"""Raffles on one page of the list; the tenth row turns the page."""


# ── raffles ───────────────────────────────────────────────────────────────────────────────────


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
        return f"Held for you until {_until(order, now=now)}: *{_of(order)}*"
    if order.under_review:
        return f"Your order *{order.code}* is being checked."
    owed = money(order.total, order.currency)
    return f"Your order *{order.code}* waits for {owed} until {_until(order, now=now)}."


def _until(order: OrderFacts, *, now: datetime) -> str:
    if order.expires_at is None:
        return "it is checked"
    return moment(order.expires_at, now=now, time_zone=order.raffle.time_zone)


def _of(order: OrderFacts) -> str:
    return numbers(order.numbers, width=order.raffle.width)


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


# ── holding and paying ────────────────────────────────────────────────────────────────────────


def held(order: OrderFacts, *, now: datetime, note: str = "") -> Reply:
    """The numbers are kept for a while; the buyer decides."""
    return Reply(
        "held",
        f"Held for you until {_until(order, now=now)}:  *{_of(order)}*\n"
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
        f"Order *{order.code}* · please pay {owed} by {_until(order, now=now)}\n"
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
        f"{_until(order, now=now)}.",
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
            f"Got it. The time of order *{order.code}* had run out, but *{_of(order)}* "
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
        f"Cancelled. *{_of(order)}* are free again and nothing is owed."
        if len(order.numbers) != 1
        else f"Cancelled. *{_of(order)}* is free again and nothing is owed.",
        buttons=(MENU_BUTTON, MINE_BUTTON),
        about=order.code,
    )


def nothing_to_cancel() -> str:
    """Say that there is no order; a note in front of the menu."""
    return "You have no order to cancel."


def cancel_which(orders: Sequence[OrderFacts]) -> Reply:
    """Several orders could be meant."""
    rows = tuple(
        Row(write(Do.CANCEL, order.id), order.code, f"{_of(order)} · {order.raffle.title}")
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
        body = f"Cancel order *{order.code}* ({_of(order)})?"
    else:
        body = f"Did you mean CANCEL? That would give *{_of(order)}* back."
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
    return f"*{order.raffle.title}* · {order.code}\n{_of(order)}\n{_standing(order, now=now)}"


def _standing(order: OrderFacts, *, now: datetime) -> str:
    match order.status:
        case OrderStatus.PAID:
            draw = order.raffle.draw_at
            drawn = (
                f" Draw: {day_and_time(draw, time_zone=order.raffle.time_zone)}." if draw else ""
            )
            return f"Paid: yours.{drawn}"
        case OrderStatus.DRAFT:
            return f"Held until {_until(order, now=now)}, not confirmed yet."
        case OrderStatus.PENDING_PAYMENT if order.under_review:
            return "Receipt received, being checked."
        case OrderStatus.PENDING_PAYMENT:
            owed = money(order.total, order.currency)
            return f"To be paid: {owed} by {_until(order, now=now)}."
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
    """The receipt is with the seller; nothing to do."""
    return Reply(
        "under_review",
        f"We are checking the payment of order *{order.code}*. Your numbers *{_of(order)}* stay "
        "yours meanwhile; we will write here.",
        buttons=(BUY_BUTTON, MINE_BUTTON),
        about=order.code,
    )


def all_done(order: OrderFacts) -> Reply:
    """The latest purchase is paid."""
    return Reply(
        "all_done",
        f"Order *{order.code}* is paid: *{_of(order)}* {_are(order)} yours. Good luck!",
        buttons=(BUY_BUTTON, MINE_BUTTON),
        about=order.code,
    )


def _are(order: OrderFacts) -> str:
    return "is" if len(order.numbers) == 1 else "are"


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


# ── notices: what changed while the buyer was away ────────────────────────────────────────────


def paid(order: OrderFacts) -> Reply:
    """The seller has the money."""
    draw = order.raffle.draw_at
    when = f" Draw: {day_and_time(draw, time_zone=order.raffle.time_zone)}." if draw else ""
    return Reply(
        "paid", f"Paid. *{_of(order)}* {_are(order)} yours.{when} Good luck!", about=order.code
    )


_REJECTED: Final[Mapping[RejectReason, str]] = {
    RejectReason.ILLEGIBLE: "we cannot read the receipt",
    RejectReason.WRONG_AMOUNT: "the amount is not the one of the order",
    RejectReason.NOT_CREDITED: "the money has not arrived in the account",
    RejectReason.REPEATED: "this receipt was used before",
    RejectReason.OTHER: "the receipt does not fit the order",
}


def rejected(order: OrderFacts, *, reason: RejectReason, note: str, now: datetime) -> Reply:
    """The seller could not accept the receipt; the clock runs again."""
    why = f"{_REJECTED[reason]} ({note.strip()})" if note.strip() else _REJECTED[reason]
    return Reply(
        "rejected",
        f"About order *{order.code}*: {why}. Your numbers *{_of(order)}* stay held until "
        f"{_until(order, now=now)}. Please send a photo or PDF of the right receipt "
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
        what = f"The time for *{_of(order)}* ran out, so they are free again."
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


# ── help ──────────────────────────────────────────────────────────────────────────────────────


def help_text(seller: str) -> str:
    """What the bot can do; a note in front of the menu."""
    reach = f"\nA person: {seller}" if seller else ""
    return (
        "I sell raffle numbers. Choose random ones or write your own, pay, and send the receipt "
        "here; the seller checks it and you get the confirmation.\n"
        "*MENU* start over · *CANCEL* give numbers back · *HELP* this text"
        f"{reach}"
    )


def not_understood() -> str:
    """The first time; a note in front of the question that is still open."""
    return "Sorry, I did not understand that."


def short_help() -> str:
    """The second time."""
    return "Sorry, I am a simple bot. Tap a button below, or write MENU to start over."


def ask_a_person(seller: str) -> Reply:
    """The third time: no loop, a person."""
    reach = f"Please write to {seller}." if seller else "Please try again later."
    return Reply(
        "ask_a_person",
        f"I still do not understand, sorry. {reach} Or tap Menu to start over.",
        buttons=(MENU_BUTTON, MINE_BUTTON),
    )


def cannot_read(kind: str) -> str:
    """Something the bot has no use for; a note in front of the question that is still open."""
    what = _KINDS.get(kind, "that kind of message")
    return f"Sorry, I cannot read {what}: only text, taps, photos and PDFs."


_KINDS: Final[Mapping[str, str]] = {
    "audio": "voice messages",
    "video": "videos",
    "sticker": "stickers",
    "location": "locations",
    "contacts": "contacts",
    "document": "that kind of file",
    "order": "shopping carts",
}


def old_button() -> str:
    """A tap on something that is no longer possible; a note in front of the menu."""
    return "That button is from an older message and does not fit any more."


def back_again() -> str:
    """After an outage: older messages were not acted upon."""
    return "Sorry for the wait, we were away for a while. This is where you are now:"


def apology(seller: str) -> Reply:
    """A message could not be handled at all."""
    reach = f" or write to {seller}" if seller else ""
    return Reply(
        "apology",
        f"Sorry, something went wrong with your last message. Please try again{reach}.",
        buttons=(MENU_BUTTON, MINE_BUTTON),
    )
