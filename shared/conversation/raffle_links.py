"""Links that open a chat with a text about one raffle, and the reading of that text.

The link is Meta's click to chat: `https://wa.me/<digits>?text=<text>`; source: WhatsApp's help page
"How to use click to chat". The buyer sees the text before sending it and may edit it. The raffle is
therefore found by a mark in brackets at its end, `(raffle 12)`, and never by its title, which
another raffle may share and the seller may change. The number is the raffle's id, so a printed link
stays right. A word of the seller may follow it, `(raffle 12, poster)`, to tell links apart.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.reader import read_text

MAX_SOURCE_LENGTH: Final = 20
"""The most characters of the word that tells links apart."""

_MAX_TEXT_LENGTH: Final = 1_000
"""The end of a text that is searched for the mark; a link's own text is a fifth of it."""

UNKNOWN_RAFFLE_ID: Final = 0
"""The id of a link whose number no raffle can have, so that it is looked up and not found."""

_MAX_ID_DIGITS: Final = 9

_MARK: Final = re.compile(
    r"""
    [(\[] \s* raffle \s* (?:no\.?|\#)? \s* (?P<id>[0-9]+)
    (?:
        (?: \s* [,;:/|·–—-] (?P<source>[^()\[\]]*) )? \s* [)\]]
        | (?: \s* [,;:/|·–—-] \s* (?P<last_word>[a-z0-9-]{1,20}) )? \s* $
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_OWN_WORDS: Final = re.compile(
    r"\s*hi\b[\s!.,]*i\s+would\s+like\s+tickets\s+for\b\s*(?:\*[^*]*\*|.*)",
    re.IGNORECASE | re.DOTALL,
)
_TITLE_BEFORE_MARK: Final = re.compile(r"\*[^*]*\*\s*$")

_ABOUT_THE_LINK: Final = frozenset(
    {Intent.GREETING, Intent.FOREIGN_GREETING, Intent.THANKS, Intent.BUY, Intent.UNKNOWN}
)
"""What else a text may say and still ask for nothing but the raffle of its link."""


@dataclass(frozen=True, slots=True)
class RaffleLink:
    """What the text of a link says.

    Attributes:
        raffle_id: the raffle.
        source: the word that tells links apart, as `normalise_source` returns it; may be empty.

    """

    raffle_id: int
    source: str = ""


def build_raffle_link(phone_number: str, *, title: str, link: RaffleLink) -> str:
    """Return the address that opens a chat with a business number.

    Args:
        phone_number: the business number in international form; anything but digits is dropped.
        title: the raffle's title.
        link: what the text is to say.

    """
    digits = "".join(character for character in phone_number if character in "0123456789")
    return f"https://wa.me/{digits}?text={quote(build_link_text(title, link=link), safe='')}"


def build_link_text(title: str, *, link: RaffleLink) -> str:
    """Return the text that the buyer sends, which `parse_raffle_link` understands."""
    name = " ".join(title.replace("*", " ").split())
    return f"Hi! I would like tickets for *{name}* {build_mark(link)}"  # bold in WhatsApp


def build_mark(link: RaffleLink) -> str:
    """Return the part of the text by which the raffle is found; it is enough by itself."""
    return f"(raffle {link.raffle_id}{f', {link.source}' if link.source else ''})"


@dataclass(frozen=True, slots=True)
class LinkText:
    """A text with the mark of a link.

    Attributes:
        link: what the mark says.
        words: the text without the mark.
        other_words: the words that the buyer added to those of the link.

    """

    link: RaffleLink
    words: str
    other_words: str

    @property
    def opens_raffle(self) -> bool:
        """Whether the text asks for the raffle of the link, and for nothing else."""
        reading = read_text(self.other_words)
        return reading.intent in _ABOUT_THE_LINK and _ABOUT_THE_LINK.issuperset(reading.others)


def parse_link_text(text: str) -> LinkText | None:
    """Return the parts of a text with a mark, or None without any; of several the last counts.

    Case, spaces and line breaks do not matter, nor which script digits and brackets are of, nor
    which words surround the mark.
    """
    head, tail = text[:-_MAX_TEXT_LENGTH], text[-_MAX_TEXT_LENGTH:]
    marks = list(_MARK.finditer("".join(map(_fold_character, tail))))
    if not marks:
        return None
    mark = marks[-1]
    digits = mark["id"].lstrip("0")
    link = RaffleLink(
        int(digits or "0") if len(digits) <= _MAX_ID_DIGITS else UNKNOWN_RAFFLE_ID,
        _parse_source(mark["source"] or mark["last_word"] or ""),
    )
    before, after = head + tail[: mark.start()], tail[mark.end() :]
    added = before if head else _remove_own_words(before)
    return LinkText(link, f"{before}{after}".strip(), f"{added} {after}".strip())


def parse_raffle_link(text: str) -> RaffleLink | None:
    """Return what the last mark of a text says, or None without any."""
    found = parse_link_text(text)
    return None if found is None else found.link


def remove_link(text: str) -> str:
    """Return what a buyer says beside the words of a link; without a link, the text."""
    found = parse_link_text(text)
    return text if found is None else found.other_words


def _fold_character(character: str) -> str:
    """Return one character in its usual width and with plain digits, so that places stay."""
    if unicodedata.category(character) == "Nd":
        return str(unicodedata.digit(character))
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 else character


def _remove_own_words(before: str) -> str:
    """Return the words before a mark without those of the link and without the raffle's title."""
    own = _OWN_WORDS.match(before)
    return _TITLE_BEFORE_MARK.sub("", before) if own is None else before[own.end() :]


def _parse_source(word: str) -> str:
    """Return the word of a mark as links contain it; empty for one that is too long."""
    word = word.strip()
    return normalise_source(word) if len(word) <= MAX_SOURCE_LENGTH else ""


def normalise_source(word: str) -> str:
    """Return a word as links contain it: lower-case letters a to z, digits and hyphens.

    Accents are dropped, and whatever else separates words becomes a hyphen; empty if nothing is
    left.
    """
    plain = unicodedata.normalize("NFKD", word[:_MAX_TEXT_LENGTH]).encode("ascii", "ignore")
    hyphenated = re.sub(r"[^a-z0-9]+", "-", plain.decode().lower()).strip("-")
    return hyphenated[:MAX_SOURCE_LENGTH].strip("-")
