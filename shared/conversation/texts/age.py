"""Texts of the question whether a buyer is 18 or older."""

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.facts.values import RaffleFacts
from shared.conversation.texts.parts import MENU_BUTTON, MY_TICKETS_BUTTON
from shared.conversation.values import Reply
from shared.whatsapp.messages import ReplyButton


def build_age_question(raffle: RaffleFacts) -> Reply:
    """Return the question; its first button is what a plain yes stands for."""
    return Reply(
        "age_question",
        f"*{raffle.title}* is only for people who are 18 or older. Are you 18 or older?",
        buttons=(
            ReplyButton(build_button_id(ButtonAction.ADULT, raffle.id), "Yes, I am 18+"),
            ReplyButton(build_button_id(ButtonAction.MINOR, raffle.id), "No"),
        ),
    )


def build_age_refused_message(raffle: RaffleFacts) -> Reply:
    """Return the refusal for a buyer who is not 18 yet."""
    return Reply(
        "age_refused",
        f"Thank you for telling me. *{raffle.title}* is only for people who are 18 or older, so I "
        "cannot hold numbers for you.",
        buttons=(MENU_BUTTON, MY_TICKETS_BUTTON),
    )


def build_thanks_note() -> str:
    """Return the note for a buyer who said yes while nothing waited for it."""
    return "Thank you, I will not ask again."
