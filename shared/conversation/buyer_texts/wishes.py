"""Parser of wishes that work in every state: a person, STOP and START; pure functions.

STOP and START are whole texts, never misspelt ones and never a part of a sentence: "stop, I want 5"
is about tickets.
"""

from enum import StrEnum
from typing import Final

from shared.conversation import button_ids
from shared.conversation.buyer_texts.text_normalization import normalize_text
from shared.conversation.buyer_texts.vocabulary import (
    PERSON_OPENINGS,
    PERSON_SENTENCES,
    PERSON_WORDINGS,
    START_WORDINGS,
    STOP_WORDINGS,
)


class Wish(StrEnum):
    """A wish about the chat itself."""

    PERSON = "person"
    STOP = "stop"
    START = "start"


_POLITE_OPENINGS: Final = ("please", "pls", "plz", "hi", "hello", "hey", "ok", "sorry", "no")
_POLITE_ENDINGS: Final = ("please", "pls", "plz", "thanks", "thank you", "now", "here")


def parse_wish(text: str) -> Wish | None:
    """Return the wish of a text in any case, spacing and punctuation; None for any other text."""
    words = normalize_text(text).replace("'", "")
    asked = words.removeprefix("please ").removesuffix(" please")
    if asked in STOP_WORDINGS:
        return Wish.STOP
    if asked in START_WORDINGS:
        return Wish.START
    return Wish.PERSON if _wants_person(words) else None


def parse_tapped_wish(tap_id: str, title: str) -> Wish | None:
    """Return the wish of a button that is not ours, such as "Stop promotions" of a template."""
    if button_ids.parse_button_id(tap_id) is not None:
        return None
    return parse_wish(tap_id) or parse_wish(title)


def _wants_person(words: str) -> bool:
    words = _remove_polite_words(words)
    if words in PERSON_WORDINGS or words in PERSON_SENTENCES:
        return True
    return any(
        words.removesuffix(wanted).rstrip() in PERSON_OPENINGS
        for wanted in PERSON_WORDINGS
        if words.endswith(f" {wanted}")
    )


def _remove_polite_words(words: str) -> str:
    before = ""
    while words != before:
        before = words
        for opening in _POLITE_OPENINGS:
            words = words.removeprefix(f"{opening} ")
        for ending in _POLITE_ENDINGS:
            words = words.removesuffix(f" {ending}")
    return words
