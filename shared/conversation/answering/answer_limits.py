"""Limits of what one buyer makes the bot say: floods, and conversations that go in circles.

They are judged by the messages as they are stored, in the order in which they were written, so that
every gateway comes to the same result.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Final

from shared.conversation.understanding import text_normalization

MAX_ANSWERS_PER_TRANSACTION: Final = 5
"""A transaction blocks all writers on SQLite; five answers take about a third of a second."""

MAX_TRANSACTION_CPU_SECONDS: Final = 0.5
"""Processor time after which a transaction begins no further answer."""

MAX_MESSAGES_PER_TRANSACTION: Final = 200
"""Messages that one transaction reads: those without an answer take a millisecond each."""

FLOOD_WINDOW: Final = timedelta(minutes=1)
FLOOD_MESSAGES: Final = 20
"""Answered messages of one buyer in a window; Meta lets us send one buyer ten a minute for long.

People who write in short pieces send about ten. Receipts do not count: an album has up to thirty.
"""

FLOOD_TAPS: Final = 30
"""Taps that are carried out in a window even in a flood; no finger is faster for a minute."""

FLOOD_TOLD_FOR: Final = timedelta(hours=1)
"""A buyer who floods is told once in this time."""

LOOP_WINDOW: Final = timedelta(hours=1)
SAME_TEXTS: Final = 5
"""Answers to the same text in a window. People who write "hi" or "menu" again tap in between."""

LOOP_TEXTS: Final = 40
"""Answers to texts of any wording in a window, without a tap or a receipt in between."""

MISSES_LAPSE: Final = timedelta(hours=6)
"""Silence of a buyer after which messages that were not understood are forgotten."""

MAX_RECENT_MESSAGES: Final = 100
"""Earlier messages that are looked at; more than any of the limits above."""

PROOF_TYPES: Final = frozenset({"image", "document"})
TAP_TYPES: Final = frozenset({"interactive", "button"})


@dataclass(frozen=True, slots=True)
class RecentMessage:
    """A message of a buyer.

    Attributes:
        type: the type according to Meta, such as `text` or `interactive`.
        text: its text as a person reads it.

    """

    type: str
    text: str
    sent_at: datetime


def is_excess(recent: Sequence[RecentMessage], place: int) -> bool:
    """Return whether a buyer sends more than is answered; receipts do not count.

    Args:
        recent: the buyer's messages in the order in which they were written.
        place: the index of the message in question.

    """
    return _count(recent, place, types=None) > FLOOD_MESSAGES


def are_taps_excess(recent: Sequence[RecentMessage], place: int) -> bool:
    """Return whether a buyer taps faster than a person can."""
    return _count(recent, place, types=TAP_TYPES) > FLOOD_TAPS


def is_same_again(recent: Sequence[RecentMessage], place: int, *, messages: int = 1) -> bool:
    """Return whether a buyer wrote the same text again and again, as another bot does.

    Args:
        recent: the buyer's messages in the order in which they were written.
        place: the index of the message in question.
        messages: how many messages from there on get one answer. The same text counts once among
            them, and one text that did not come so often is enough for an answer.

    """
    texts = Counter(map(_normalize, _list_texts(recent, place)[1:]))
    asked = {_normalize(each.text) for each in recent[place : place + messages]}
    return all(texts[text] >= SAME_TEXTS for text in asked)


def are_texts_excess(recent: Sequence[RecentMessage], place: int) -> bool:
    """Return whether a buyer wrote text after text, which may differ."""
    return len(_list_texts(recent, place)) > LOOP_TEXTS


def _list_texts(recent: Sequence[RecentMessage], place: int) -> list[str]:
    """Return the texts up to a text, since the last tap or receipt, because bots send none."""
    if recent[place].type != "text":
        return []
    since = takewhile(_is_no_progress, _iterate_back(recent, place, within=LOOP_WINDOW))
    return [each.text for each in since if each.type == "text"]


def _is_no_progress(message: RecentMessage) -> bool:
    return message.type not in PROOF_TYPES | TAP_TYPES


def _count(recent: Sequence[RecentMessage], place: int, *, types: frozenset[str] | None) -> int:
    within = _iterate_back(recent, place, within=FLOOD_WINDOW)
    if types is None:
        return sum(each.type not in PROOF_TYPES for each in within)
    return sum(each.type in types for each in within)


def _iterate_back(
    recent: Sequence[RecentMessage], place: int, *, within: timedelta
) -> Iterator[RecentMessage]:
    """Yield the message and those before it, as long as they are in the window."""
    since = recent[place].sent_at - within
    back = islice(reversed(recent), len(recent) - 1 - place, None)
    return takewhile(lambda each: each.sent_at > since, back)


def _normalize(text: str) -> str:
    """Return a text for comparison; one without words, or too long, stays as it is."""
    return text_normalization.normalize_text(text) or text.strip()
