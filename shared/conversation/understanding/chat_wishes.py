"""Wishes about the chat itself, whatever the conversation is about: a person, STOP and START."""

from typing import Final, Literal, cast

from shared.conversation import button_ids
from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.reader import read_text

type ChatWish = Literal[Intent.PERSON, Intent.STOP, Intent.START]

_CHAT_WISHES: Final = frozenset({Intent.PERSON, Intent.STOP, Intent.START})


def find_wish(text: str) -> ChatWish | None:
    """Return the wish of a text, or None for any other.

    STOP and START are whole texts, never misspelt ones and never a part of a sentence: "stop, I
    want 5" is about tickets. The reader sees to that.
    """
    intent = read_text(text).intent
    return cast(ChatWish, intent) if intent in _CHAT_WISHES else None


def find_tapped_wish(tap_id: str, title: str) -> ChatWish | None:
    """Return the wish of a button that is not ours, such as "Stop promotions" of a template."""
    if button_ids.parse_button_id(tap_id) is not None:
        return None
    return find_wish(tap_id) or find_wish(title)
