"""Runs of texts: what a buyer wrote in several messages one after the other gets one answer.

People write "hi", "i want tickets", "3", "random", "pls". Meta charges for each of our messages,
and nobody asked for an answer to a piece. So texts that wait together are answered as the lines of
one text. Nobody is made to wait for that: a message that is alone is answered at once.

No message is swallowed. A run has one topic, so that one answer is enough; two questions are one
topic only if they ask the same. What decides something is answered by itself, in its place: a
command, a yes or no, a claim of payment, an order code, a link. Taps, pictures and everything else
that is no text end a run, too.
"""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import IntEnum, auto
from itertools import pairwise
from typing import Final

from shared.conversation import raffle_links
from shared.conversation.answering.inbound_events import find_chat_wish
from shared.conversation.answering.silence import is_yes_or_no
from shared.conversation.context import Context
from shared.conversation.effects import InboundTurn
from shared.conversation.understanding import order_names
from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.reader import read_text
from shared.conversation.understanding.text_normalization import MAX_WORDS_TEXT
from shared.conversation.understanding.text_readings import TextReading
from shared.whatsapp.content import ContentKind, MessageContent, parse_content
from shared.whatsapp.models import InboundMessage, WhatsAppContact

MAX_PAUSE: Final = timedelta(seconds=10)
"""The longest pause within a run: enough to type the next words, too short to think again."""

MAX_MESSAGES_PER_RUN: Final = 8
"""The most messages of a run; people who write in pieces send about five."""


class RunTopic(IntEnum):
    """What a text is about, as far as it matters which texts share an answer.

    Of several in one text the greatest counts.
    """

    SMALL_TALK = auto()  # goes with anything
    PURCHASE = auto()  # what is wanted, or was not understood: often said in pieces
    QUESTION = auto()  # each wants an answer of its own
    DECISION = auto()  # is answered by itself


TOPICS: Final[Mapping[Intent, RunTopic]] = {
    **dict.fromkeys(Intent, RunTopic.QUESTION),
    **dict.fromkeys(
        (Intent.GREETING, Intent.FOREIGN_GREETING, Intent.THANKS),
        RunTopic.SMALL_TALK,
    ),
    **dict.fromkeys(
        (
            Intent.BUY,
            Intent.RANDOM,
            Intent.PICK,
            Intent.TAKE,
            Intent.ADD,
            Intent.DROP,
            Intent.SWAP,
            Intent.EITHER,
            Intent.LIKE,
            Intent.SPEND,
            Intent.OTHER_NUMBERS,
            Intent.CHOOSE_RAFFLE,
            Intent.UNKNOWN,
        ),
        RunTopic.PURCHASE,
    ),
    **dict.fromkeys(
        (
            Intent.MENU,
            Intent.HELP,
            Intent.CANCEL,
            Intent.GIVE_UP,
            Intent.STOP,
            Intent.START,
            Intent.PERSON,
            Intent.YES,
            Intent.NO,
            Intent.KEEP,
            Intent.ADULT,
            Intent.MINOR,
            Intent.ORDER,
            Intent.ORDER_CHOICE,
            Intent.PAID,
        ),
        RunTopic.DECISION,
    ),
}
"""The topic of each intent; one that is not named is a question, which shares no answer."""


def take_run(
    waiting: Sequence[InboundMessage],
    *,
    context: Context,
    counted: Collection[int] = (),
) -> Sequence[InboundMessage]:
    """Return the first of a buyer's waiting messages, with those answered together with it.

    Args:
        waiting: the waiting messages in the order in which they were written; at least one.
        context: the purchase under way. The first text after an open question is the answer to it,
            and is answered by itself.
        counted: the ids of messages whose attempt was counted beforehand. Others that were tried
            before are answered by themselves, so that no other message is blamed for them.

    """
    run = [waiting[0]]
    text = _read_untried_text(waiting[0], counted)
    if len(waiting) == 1 or text is None or _awaits_answer(context):
        return run
    topic = find_topic(text)
    for before, message in pairwise(waiting[:MAX_MESSAGES_PER_RUN]):
        added = _read_untried_text(message, counted)
        if added is None or message.sent_at - before.sent_at > MAX_PAUSE:
            break
        joined_topic = _join_topics(topic, find_topic(added))
        if joined_topic is None and _ask_the_same(text, added):
            joined_topic = RunTopic.QUESTION
        text = _join_texts(text, added)
        if joined_topic is None or not _is_readable(text) or find_topic(text) is RunTopic.DECISION:
            break
        topic = joined_topic
        run.append(message)
    return run


def begin_turn(
    contact: WhatsAppContact, run: Sequence[InboundMessage], *, now: datetime, pivot: int
) -> InboundTurn:
    """Return the turn that answers a run; what was noted on its messages before is forgotten."""
    for message in run:
        message.error = ""
    return InboundTurn(contact, run[-1], now, pivot, earlier=tuple(run[:-1]))


def build_run_content(run: Sequence[InboundMessage]) -> MessageContent:
    """Return the content of a run: the texts of its messages as lines; else that of its message."""
    contents = [parse_content(message.payload) for message in run]
    if len(contents) == 1:
        return contents[0]
    text = "\n".join(content.text for content in contents)
    return MessageContent(ContentKind.TEXT, text, replied_to=contents[-1].replied_to)


def find_topic(text: str) -> RunTopic:
    """Return what a text is about."""
    if _names_decision(text):
        return RunTopic.DECISION
    reading = read_text(text)
    if reading.intent is Intent.UNKNOWN and _says_nothing(reading):
        return RunTopic.SMALL_TALK
    return max(TOPICS[intent] for intent in (reading.intent, *reading.others))


def _names_decision(text: str) -> bool:
    """Return whether a text decides something, or names an order or a raffle by itself."""
    content = MessageContent(ContentKind.TEXT, text)
    return (
        find_chat_wish(content) is not None
        or is_yes_or_no(content)
        or raffle_links.parse_raffle_link(text) is not None
        or _names_order(text)
    )


def _names_order(text: str) -> bool:
    """Return whether a text has an order code; without its R, "hello" and "12345" look like one."""
    if order_names.is_order_code(text) or order_names.find_certain_codes(text):
        return True
    bodies = [code.removeprefix("R-") for code in order_names.find_order_codes(text)]
    return any(not (body.isalpha() or body.isdecimal()) for body in bodies)


def _says_nothing(reading: TextReading) -> bool:
    """Return whether a text that means nothing by itself is made of fillers: "pls"."""
    return not (reading.core_words or reading.wish or reading.doubts or reading.unread)


def _join_topics(first: RunTopic, second: RunTopic) -> RunTopic | None:
    """Return the topic of two texts together; None if each wants an answer of its own."""
    if RunTopic.DECISION in {first, second}:
        return None
    if RunTopic.SMALL_TALK in {first, second}:
        return max(first, second)
    return first if first is second is RunTopic.PURCHASE else None


def _ask_the_same(first: str, second: str) -> bool:
    """Return whether two texts ask one question, twice: "i need more time", "10 min"."""
    readings = [read_text(text) for text in (first, second, _join_texts(first, second))]
    intents = {reading.intent for reading in readings}
    is_plain = not any(reading.others or reading.wish or reading.unread for reading in readings)
    if all(any(map(str.isdigit, text)) for text in (first, second)):
        return False  # "how much for 3", "how much for 5"
    return len(intents) == 1 and is_plain and TOPICS[intents.pop()] is RunTopic.QUESTION


def _read_untried_text(message: InboundMessage, counted: Collection[int]) -> str | None:
    """Return the text of a message; None for another kind, and for one that was tried before."""
    was_tried = bool(message.attempts) or message.next_attempt_at is not None
    if was_tried and message.pk not in counted:
        return None
    content = parse_content(message.payload)
    return content.text if content.kind is ContentKind.TEXT else None


def _awaits_answer(context: Context) -> bool:
    return bool(context.yes_button_id) or context.proof_id is not None


def _join_texts(first: str, second: str) -> str:
    return f"{first}\n{second}"


def _is_readable(text: str) -> bool:
    """Return whether a text is short enough for its words to be understood.

    One character may become eighteen when it is folded: U+FDFA does.
    """
    if len(text) > MAX_WORDS_TEXT:
        return False
    return len(unicodedata.normalize("NFKC", text).casefold()) <= MAX_WORDS_TEXT
