"""Texts for buyers who need help or whose message was not understood.

A note is put above another reply.
"""

from collections.abc import Mapping
from typing import Final

from shared.conversation.texts.parts import MENU_BUTTON, MY_TICKETS_BUTTON, PERSON_BUTTON
from shared.conversation.values import Reply


def build_help_note(seller: str, *, is_paused: bool = False) -> str:
    """Return the note for HELP: how buying works, and the words that always work.

    Args:
        seller: how to reach the seller; empty if unknown.
        is_paused: whether a person has the chat, so that other words get no answer.

    """
    reach = f"\nA person: {seller}" if seller else ""
    quiet = (
        "\nA person has this chat now, and I am quiet until you write *MENU*." if is_paused else ""
    )
    return (
        "I sell raffle numbers. Choose random ones or write your own, pay, and send the receipt "
        "here; the seller checks it and you get the confirmation.\n"
        "*MENU* start over · *CANCEL* give numbers back · *HELP* this text\n"
        "*PERSON* the seller answers you · *STOP* no more messages\n"
        "About the draw: *RULES* · *WHO WON* · *VERIFY 7*"
        f"{reach}{quiet}"
    )


def build_not_understood_note() -> str:
    """Return the note for the first message in a row that was not understood."""
    return "Sorry, I did not understand that."


def build_unclear_numbers_note() -> str:
    """Return the note for numbers with a sign, a fraction or money, which were not acted on."""
    return "Sorry, I am not sure what the numbers in that mean, so I changed nothing."


def build_short_help_note() -> str:
    """Return the note for the second message in a row that was not understood."""
    return "Sorry, I am a simple bot. Tap a button below, or write MENU to start over."


def build_ask_a_person_message(seller: str) -> Reply:
    """Return the message for the third message in a row that was not understood."""
    reach = f"write to {seller}" if seller else "try again later"
    return Reply(
        "ask_a_person",
        f"Sorry, I still do not understand. Please {reach}, or tap Menu to start over.",
        buttons=(MENU_BUTTON, MY_TICKETS_BUTTON, PERSON_BUTTON),
    )


def build_slow_down_message() -> Reply:
    """Return the message for a buyer who writes faster than they are answered."""
    return Reply(
        "slow_down",
        "You write faster than I can answer. Please wait a minute, then tell me in one message "
        "what you would like. Photos of receipts, taps and CANCEL still work.",
        buttons=(MENU_BUTTON, MY_TICKETS_BUTTON),
    )


def build_cannot_read_note(kind: str) -> str:
    """Return the note for a message of a kind that the bot cannot read."""
    what = _UNREADABLE_KIND_NAMES.get(kind, "that kind of message")
    return f"Sorry, I cannot read {what}: only text, taps, photos and PDFs."


def build_send_normally_message(*, receipt: bool) -> Reply:
    """Return the message about one that WhatsApp does not show us, e.g. a "view once" photo.

    Args:
        receipt: whether a receipt is awaited, which it may have been.

    """
    if receipt:
        return Reply(
            "send_normally",
            "Sorry, WhatsApp does not show me that message: please send the receipt as a normal "
            "photo or PDF, not as “view once”.",
        )
    return Reply(
        "send_normally",
        "Sorry, WhatsApp does not show me that message: please write me a word, such as “hi”.",
    )


_UNREADABLE_KIND_NAMES: Final[Mapping[str, str]] = {
    "audio": "voice messages",
    "video": "videos",
    "sticker": "stickers",
    "location": "locations",
    "contacts": "contacts",
    "document": "that kind of file",
    "order": "shopping carts",
}


def build_lost_file_note() -> str:
    """Return the note for a picture or document that WhatsApp could not pass on."""
    return (
        "Your file did not reach me: WhatsApp could not load it. Please send it again, as a photo "
        "or a PDF of at most 16 MB."
    )


def build_old_button_note() -> str:
    """Return the note for a tap on a button that is not possible any more."""
    return "That button is from an older message and no longer works."


def build_back_again_note() -> str:
    """Return the note for messages that became too old during an outage."""
    return "Sorry for the wait. This is where you are now:"


def build_apology_message(seller: str) -> Reply:
    """Return the message for a buyer whose message was given up after errors."""
    reach = f" or write to {seller}" if seller else ""
    return Reply(
        "apology",
        f"Sorry, something went wrong with your last message. Please try again{reach}.",
        buttons=(MENU_BUTTON, MY_TICKETS_BUTTON),
    )
