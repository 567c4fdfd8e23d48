"""Sentences that sound like an act and are none: nothing is held, ordered or cancelled for them."""

from collections.abc import Mapping, Sequence
from typing import Final

from shared.conversation import flow
from shared.conversation.conversation_events import TextReceived
from shared.conversation.values import Step
from tests.cases import walk_cases
from tests.unit.conversation.sentences.scenes import SCENES

NOTHING_DONE: Final[Mapping[str, Sequence[str]]] = {
    "hold_random": (
        "fuck you", "how about you", "i will tell you", "are you kidding", "yes but not now",
        "i said no not yes", "no dont remove 7", "i dont want to drop 213", "dont take 213 out",
        "yes idk", "ok wrong", "y/n", "cancel\nyes", "how do i confirm", "yes on friday",
        "i accidentally pressed yes", "hardly ok", "good question", "im in a meeting",
        "sí, pero mañana", "ok will let you know", "ok bye", "my wife says ok",
        "yes the first two", "ok remove the last", "dead", "gold", "corrupt", "im in spain",
        "7 is lucky", "not just 213", "ok?", "right?", "yes if you pay", "no yes", "not ok",
        "61 else collect 5 off", "007 else off out seventy choose", "sixty else? 7 out",
        "\n 13 if not couple When out cancl", "yes, those 4% are good", "3 in 15:30 raffle",
        "yes, those 99999999999999 are good", "#13 random",
        "#13 unless its", "5 please..7", "5 please - 7", "just two tickets instead qwrt of three",
    ),
    "pay": (
        "i do not want you to cancel my order", "will you cancel my order if i don't pay",
        "cancel if it is not free", "i refuse to cancel", "cancel no", "cancel\nno",
        "never mind the order, i'll pay now", "cancel in 10 minutes", "cancel the bank transfer",
        "cancel my friends order", "why cancel", "what does cancel do", "my wife says cancel",
        "cancel?", "cancel only 213", "can i reduce to 2 tickets", "dont cancel", "cancl",
        "help R-7K3F9", "order status R-7K3F9", "is my order confirmed R-7K3F9",
        "is 500 free? R-7K3F9",
    ),
    "mode": (
        "i want 5 tickets but not now", "i don't want to buy 5 tickets", "5 tickets? no way",
        "i'll buy 5 tickets after work", "i want to sell 5 tickets",
    ),
    "quantity": (
        "5\ncancel", "5\nwait", "fire", "trees", "um", "one more question", "less than 5",
        "me and my 3 friends",
    ),
    "pick": (
        "13 14 not summer raffle", "13, not sumer",
        "no, don't take 7", "7 13\ncancel", "um", "+1 555 0100", "my id is 123", "house 123",
        "13 is unlucky", "nicht 7", "nao quero 7", "7 o 13", "7 unless you say no",
    ),
    "paid": (
        "my ticket number is 500", "is my ticket 500", "500 and 501 are mine",
    ),
    "receipt_asked": (
        "no R-7K3F9", "dont use R-7K3F9", "R-7K3F9 is wrong", "what is R-7K3F9",
        "i'll pay R-7K3F9 tomorrow", "no winter", "one second", "cancel the 5 dollar one",
        "can i win the sledge?",
    ),
}  # fmt: skip

NOT_ADULT: Final = (
    "yes i'm a minor", "yes im under 18", "i am a kid", "not really an adult", "my dad is an adult",
    "i'm going to be 18", "18?", "are you 18 or older", "what is the legal age",
    "is my son old enough", "20 tickets", "#18", "number 77", "no 18", "under 20", "thirsty",
    "i am not 18", "ask my mom", "if i am 18",
)  # fmt: skip

CHAT_AS_IT_WAS: Final = (
    "don't stop", "do not remove me from the list", "i see no more messages from you",
    "it says stop", "remove me from the raffle", "stop, i want 5", "dont start", "stpo",
    "do not subscribe me", "my name is Ana", "it was sent from Ana Gomez", "limit per person",
    "can 2 people share",
)  # fmt: skip


def write(scene: str, text: str) -> Step:
    """Return the step for a text in a scene."""
    at = SCENES[scene]
    return flow.step(at.state, at.context, TextReceived(text), at.facts)


def list_cases() -> list[tuple[str, str]]:
    """Return the scenes and texts of the table."""
    return [(scene, text) for scene, texts in NOTHING_DONE.items() for text in texts]


@walk_cases(("scene", "text"), list_cases())
def test_nothing_is_done(scene: str, text: str) -> None:
    assert write(scene, text).effect is None


@walk_cases("text", NOT_ADULT)
def test_nobody_is_an_adult_who_did_not_say_so(text: str) -> None:
    step = write("age_asked", text)

    assert not step.confirms_age
    assert step.effect is None


@walk_cases("text", CHAT_AS_IT_WAS)
def test_nobody_is_unsubscribed_or_handed_over_who_did_not_ask(text: str) -> None:
    assert write("pay", text).contact_change is None
