"""Answers to questions about the seller and the bot, and to small talk."""

from collections.abc import Sequence

from shared.conversation.facts.values import RaffleFacts
from shared.conversation.texts.answers.order_phrases import add_contact, name_seller
from shared.conversation.texts.answers.raffle_answers import (
    describe_offer,
    explain_no_sale,
    get_seller,
    list_raffles,
)
from shared.conversation.texts.parts import format_draw_time

# ── the seller ────────────────────────────────────────────────────────────────────────────────────


def build_seller_answer(several: Sequence[RaffleFacts], *, seller: str) -> str:
    """Return who sells, and how to reach them.

    Args:
        several: the raffles that may be meant; may be empty.
        seller: the general contact; may be empty.

    """
    sellers = {(raffle.seller_contact, raffle.promoter) for raffle in several}
    if len(sellers) > 1:
        return list_raffles(several, _describe_seller)
    contact, promoter = sellers.pop() if sellers else (seller, "")
    if not contact:
        return "I have no contact of the seller here. Please come back when a raffle is on sale."
    held = f" {promoter} holds the raffle." if promoter else ""
    return f"You reach the seller here: {contact}.{held}"


def _describe_seller(raffle: RaffleFacts) -> str:
    return ", ".join(filter(None, [get_seller(raffle), raffle.promoter]))


def build_real_answer(several: Sequence[RaffleFacts], *, seller: str, example: str) -> str:
    """Return who answers for a raffle, and how anybody can check its draw.

    Args:
        several: the raffles that may be meant; may be empty.
        seller: the general contact; may be empty.
        example: a ticket number to check.

    """
    check = (
        "Paid numbers get an entry in a receipt chain, and the list is sealed before the draw, so "
        f"anybody can check it: write *rules*, *who won* or *verify {example}*."
    )
    if len(several) != 1:
        return f"{build_seller_answer(several, seller=seller)}\n{check}"
    [raffle] = several
    held = f" for {raffle.promoter}" if raffle.promoter else ""
    sold = f"*{raffle.title}* is sold{held} by {get_seller(raffle)}"
    permit = (
        f". Permit: {raffle.permit_number}."
        if raffle.permit_number
        else ", who can tell you about the permit."
    )
    adults = " 18+ only." if raffle.adults_only else ""
    return f"{sold}{permit}{adults}\n{check}"


def build_delivery_answer(several: Sequence[RaffleFacts], *, seller: str) -> str:
    """Return that the seller hands the prize over, and where the winner is told."""
    if len(several) != 1:
        reach = build_seller_answer(several, seller=seller)
        return f"The seller knows about delivery and taxes.\n{reach}"
    [raffle] = several
    if raffle.is_called_off:
        return explain_no_sale(raffle)
    told = "I tell the winner here after the draw."
    if raffle.is_drawn:
        told = "Write *who won* for the winner and the time to claim."
    return f"The seller knows about delivery and taxes: {get_seller(raffle)}. {told}"


def build_privacy_answer(*, seller: str) -> str:
    """Return who sees what of a buyer."""
    return (
        "The seller sees your phone number, this chat and your receipts; other buyers do not. A "
        "winner is named only if they agree. To see or erase your data, ask "
        f"{name_seller(seller)}."
    )


# ── the bot ───────────────────────────────────────────────────────────────────────────────────────


def build_bot_answer(*, seller: str) -> str:
    """Return that a program answers, and who the person is."""
    return (
        "I am a bot: a program with fixed rules, no AI. Payments are checked by a "
        f"person, the seller{add_contact(seller)}."
    )


def build_language_answer() -> str:
    """Return that the bot understands English."""
    return "Sorry, I only understand English. Numbers and taps work in every language."


def build_how_it_works_answer(raffle: RaffleFacts | None) -> str:
    """Return how buying works; without a payment for a raffle that is free."""
    if raffle is not None and raffle.is_free:
        return (
            "1. Choose numbers: random or your own.\n"
            "2. Tap Confirm: they are free, and yours.\n"
            "3. After the draw write *who won*."
        )
    return (
        "1. Choose numbers: random or your own.\n"
        "2. Confirm, pay, send the receipt here.\n"
        "3. Once it is checked, they are yours.\n"
        "4. After the draw write *who won*."
    )


# ── small talk ────────────────────────────────────────────────────────────────────────────────────


def build_foreign_greeting() -> str:
    """Return one line in Spanish and one in Portuguese: write numbers or tap."""
    return (
        "Español: escribe números o toca un botón.\n"
        "Português: escreva números ou toque em um botão."
    )


def build_offer_line(raffle: RaffleFacts) -> str:
    """Return a raffle in one line: prize, price and what is left."""
    return f"*{raffle.title}*: {describe_offer(raffle)}"


def build_welcome_answer(raffle: RaffleFacts | None) -> str:
    """Return the answer to thanks, with a wish for the owner of paid numbers of a raffle."""
    if raffle is None:
        return "You are welcome!"
    if raffle.draw_at is None:
        return "You are welcome. Good luck!"
    return f"You are welcome. Good luck on {format_draw_time(raffle)}!"
