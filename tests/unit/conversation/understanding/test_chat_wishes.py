"""Tests of the words for a person, STOP and START."""

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.understanding.chat_wishes import find_tapped_wish, find_wish
from shared.conversation.understanding.intents import Intent
from tests.cases import walk_cases

PERSON = (
    "person",
    "Human!",
    "agent",
    "OPERATOR",
    "the seller",
    "talk to a person",
    "Real person please",
    "can i speak to someone",
    "Hi, can I talk to a human please?",
    "I'd like to speak to somebody",
    "i want to talk with a real person",
    "is anybody there?",
)
STOP = (
    "STOP",
    "Stop.",
    "stop please",
    "please stop",
    "Unsubscribe",
    "stop promotions",
    "Stop messages",
    "opt-out",
    "stop sending me messages!",
    "don't message me",
    "Remove me",
    *("stop all", "stopall", "unsubscribe me", "opt out", "optout", "stop marketing messages"),
    *("stop texting me", "stop spamming me", "no more messages", "do not write me"),
    *("dont contact me", "take me off your list", "remove me from the list", "leave me alone"),
)
NEITHER = (
    "stop, I want 5",
    "stop 5",
    "don't stop",
    "stpo",
    "sotp",
    "stopp",
    "non-stop",
    "please stop selling to me and send 3",
    "bus stop",
    "how many per person",
    "are you a bot?",
    "how do I contact the seller?",
    "one for each person",
    "5 for a person",
    "someone won?",
    "did someone win",
    "persons",
    "cancel",
    "menu",
    "help",
    "no",
    "please",
    "when does it start",
    "starts?",
    "",
    "a" * 5000,
)


@walk_cases("text", PERSON)
def test_understands_who_wants_a_person(text: str) -> None:
    assert find_wish(text) is Intent.PERSON


@walk_cases("text", STOP)
def test_understands_stop(text: str) -> None:
    assert find_wish(text) is Intent.STOP


@walk_cases(
    "text",
    [
        "START",
        "Start!",
        "Unstop",
        "subscribe",
        "resume",
        "resume messages",
        "opt in",
        "start please",
    ],
)
def test_understands_start(text: str) -> None:
    assert find_wish(text) is Intent.START


@walk_cases("text", NEITHER)
def test_finds_no_wish_in_other_texts(text: str) -> None:
    assert find_wish(text) is None


@walk_cases("title", ["Stop promotions", "STOP", "Unsubscribe"])
def test_understands_buttons_of_templates(title: str) -> None:
    assert find_tapped_wish(title, title) is Intent.STOP
    assert find_tapped_wish("payload-7", title) is Intent.STOP
    assert find_tapped_wish(title, "Other") is Intent.STOP


def test_our_own_buttons_mean_what_their_id_says() -> None:
    assert find_tapped_wish(build_button_id(ButtonAction.MENU), "Stop") is None
