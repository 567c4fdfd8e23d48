"""Tests of the words for a person, STOP and START."""

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.buyer_texts.vocabulary import START_WORDINGS, STOP_WORDINGS
from shared.conversation.buyer_texts.wishes import Wish, parse_tapped_wish, parse_wish
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
    assert parse_wish(text) is Wish.PERSON


@walk_cases("text", [*STOP, *sorted(STOP_WORDINGS)])
def test_understands_stop(text: str) -> None:
    assert parse_wish(text) is Wish.STOP


@walk_cases("text", ["START", "Unstop", *sorted(START_WORDINGS)])
def test_understands_start(text: str) -> None:
    assert parse_wish(text) is Wish.START


@walk_cases("text", NEITHER)
def test_finds_no_wish_in_other_texts(text: str) -> None:
    assert parse_wish(text) is None


@walk_cases("title", ["Stop promotions", "STOP", "Unsubscribe"])
def test_understands_buttons_of_templates(title: str) -> None:
    assert parse_tapped_wish(title, title) is Wish.STOP
    assert parse_tapped_wish("payload-7", title) is Wish.STOP
    assert parse_tapped_wish(title, "Other") is Wish.STOP


def test_our_own_buttons_mean_what_their_id_says() -> None:
    assert parse_tapped_wish(build_button_id(ButtonAction.MENU), "Stop") is None
