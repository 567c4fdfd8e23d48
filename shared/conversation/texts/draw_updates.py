"""Texts that buyers are told after a draw: that they won, that somebody else did, or both."""

from datetime import datetime
from typing import Final

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.facts.draw_values import DrawFacts
from shared.conversation.facts.values import OrderFacts
from shared.conversation.texts.draws import (
    build_draw_lines,
    build_more_prizes,
    format_sealed_count,
)
from shared.conversation.texts.parts import (
    MENU_BUTTON,
    MY_TICKETS_BUTTON,
    WHO_WON_BUTTON,
    build_long_reply,
    format_moment,
    join_lines,
)
from shared.conversation.values import Reply
from shared.whatsapp.messages import ReplyButton

WINNER_KEY: Final = "winner"
"""Key of the message to a winner."""

PRIZE_LOST_KEY: Final = "prize_lost"
"""Key of the message to somebody whose prize is drawn again."""

RESULTS_TOLD_KEY: Final = "results_told"
"""Key of the message to all buyers."""

HASH_DIGITS: Final = 16
"""Hex digits of the list's hash in a text that people forward; the record has all of them."""


def build_winner_text(
    order: OrderFacts, *, prize: str, number: int, claim_until: datetime, now: datetime
) -> str:
    """Return what a winner is told, also by a person: the prize, and how to claim it until when."""
    raffle = order.raffle
    until = format_moment(claim_until, raffle, now=now)
    return (
        f"Congratulations! *{raffle.format_ticket_number(number)}* has won *{prize}* in "
        f"*{raffle.title}* (order {order.code}).\n"
        f"To claim it, please write to {raffle.seller_contact} by {until}. After that it is drawn "
        "again."
    )


def build_winner_message(
    order: OrderFacts,
    *,
    result_id: int,
    prize: str,
    number: int,
    claim_until: datetime,
    now: datetime,
) -> Reply:
    """Return the message to a winner, with the question whether they may be named.

    Args:
        order: the order that won.
        result_id: the result of the draw.
        prize: the title of the prize.
        number: the ticket number that won.
        claim_until: until when the prize can be claimed.
        now: the current time.

    """
    text = build_winner_text(order, prize=prize, number=number, claim_until=claim_until, now=now)
    return Reply(
        WINNER_KEY,
        f"{text}\nMay we publish your first name and the last two digits of your phone number? "
        "Please tap a button. Until you do, only the ticket number is shown.",
        buttons=(
            ReplyButton(build_button_id(ButtonAction.SHOW_NAME, result_id), "Yes, show my name"),
            ReplyButton(build_button_id(ButtonAction.HIDE_NAME, result_id), "No, only the number"),
        ),
        about=order.code,
    )


def build_name_consent_message(*, consent: bool, shown_as: str) -> Reply:
    """Return the answer to a winner who allowed or forbade to be named."""
    body = (
        f"Thank you! You are shown as *{shown_as}*."
        if consent
        else "All right: only the number is shown, not your name."
    )
    return Reply("name_consent", body, buttons=(WHO_WON_BUTTON, MY_TICKETS_BUTTON, MENU_BUTTON))


def build_prize_lost_message(order: OrderFacts, *, prize: str, number: int) -> Reply:
    """Return the message to somebody who was told that they won, and whose prize is drawn again."""
    raffle = order.raffle
    return Reply(
        PRIZE_LOST_KEY,
        f"We are sorry: *{prize}* in *{raffle.title}* was drawn again, so "
        f"*{raffle.format_ticket_number(number)}* (order {order.code}) does not win it any more. "
        f"To ask why, please write to {raffle.seller_contact}.",
        buttons=(WHO_WON_BUTTON, MY_TICKETS_BUTTON),
        about=order.code,
    )


def build_results_told_message(order: OrderFacts, draw: DrawFacts, *, now: datetime) -> Reply:
    """Return the message to a buyer who did not win: who did, and how to check it."""
    body = join_lines(
        build_draw_lines(draw, now=now),
        more=build_more_prizes(draw.raffle),
        end=[
            "You did not win this time. Thank you for taking part!",
            "Check any number: write *verify* and the number. How it was drawn: *rules*.",
        ],
    )
    reply = build_long_reply(RESULTS_TOLD_KEY, body, [MY_TICKETS_BUTTON, MENU_BUTTON])
    return Reply(
        reply.key, reply.body, reply.buttons, reply.rows, reply.list_button, about=order.code
    )


def build_text_to_forward(draw: DrawFacts, *, now: datetime) -> str:
    """Return who won as a text for groups and for buyers without a chat."""
    raffle = draw.raffle
    drawn_from = (
        f"Drawn from {format_sealed_count(draw)}; the list was sealed before the draw "
        f"(SHA-256 {draw.list_hash[:HASH_DIGITS]}…)."
    )
    check = (
        "Check your number: write *verify* and the number to us. Questions? "
        f"{raffle.seller_contact}."
    )
    lines = build_draw_lines(draw, now=now)
    return join_lines(lines, more=build_more_prizes(raffle), end=[drawn_from, check])
