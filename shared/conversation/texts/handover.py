"""Texts about the handover to a person, and about STOP and START."""

from collections.abc import Sequence
from datetime import datetime

from shared.conversation.facts.values import OrderFacts
from shared.conversation.texts.parts import MENU_BUTTON, choose_buttons
from shared.conversation.texts.raffles import build_reminders_note
from shared.conversation.values import Reply


def build_person_told_message(seller: str) -> Reply:
    """Return the message for a buyer who asked for a person.

    Args:
        seller: how to reach the seller; empty if unknown.

    """
    reach = f" You can also reach them here: {seller}." if seller else ""
    return Reply(
        "person_told",
        "I have told the seller. A person will answer you in this chat, and I am quiet until then. "
        f"*MENU* brings me back; you can send receipts at any time.{reach}",
        buttons=(MENU_BUTTON,),
    )


def build_stopped_message(live: Sequence[OrderFacts], *, now: datetime) -> Reply:
    """Return the confirmation of STOP.

    Args:
        live: the buyer's live orders, which stay as they are; three at most are mentioned.
        now: the current time.

    """
    body = (
        "You get no more messages from me, only answers when you write. News about your money "
        "waits here until your next message. *START* turns messages on again."
    )
    if reminders := build_reminders_note(live, now=now):
        body += f"\nYour orders stay as they are:\n{reminders}"
    return Reply("stopped", body, buttons=choose_buttons(body, MENU_BUTTON))


def build_started_note() -> str:
    """Return the note for a buyer who ended their STOP."""
    return "Welcome back! You get news about your orders and draws again."
