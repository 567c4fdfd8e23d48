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

MAX_SOURCE_LENGTH: Final = 20
"""The most characters of the word that tells links apart."""

_MAX_TEXT_LENGTH: Final = 1_000
"""The end of a text that is searched for the mark; a link's own text is a fifth of it."""

_MARK: Final = re.compile(
    r"""
    [(\[] [ ]? raffle [ ]? (?:no\.?|\#)? [ ]? ([0-9]{1,9})
    (?: [ ]? [,;:/|·-] [ ]? ([a-z0-9-]{1,20}) )?
    [ ]? (?: [)\]] | $ )
    """,
    re.VERBOSE,
)


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
    name = " ".join(title.split())
    name = name if "*" in name else f"*{name}*"  # bold in WhatsApp
    return f"Hi! I would like tickets for {name} {build_mark(link)}"


def build_mark(link: RaffleLink) -> str:
    """Return the part of the text by which the raffle is found; it is enough by itself."""
    return f"(raffle {link.raffle_id}{f', {link.source}' if link.source else ''})"


def parse_raffle_link(text: str) -> RaffleLink | None:
    """Return what the last mark of a text says, or None without any.

    Case, spaces and line breaks do not matter, nor which words surround the mark.
    """
    normalised = unicodedata.normalize("NFKC", text[-_MAX_TEXT_LENGTH:]).lower()
    marks = _MARK.findall(" ".join(normalised.split()))
    if not marks:
        return None
    raffle_id, source = marks[-1]
    return RaffleLink(int(raffle_id), normalise_source(source))


def normalise_source(word: str) -> str:
    """Return a word as links contain it: lower-case letters a to z, digits and hyphens.

    Accents are dropped, and whatever else separates words becomes a hyphen; empty if nothing is
    left.
    """
    plain = unicodedata.normalize("NFKD", word[:_MAX_TEXT_LENGTH]).encode("ascii", "ignore")
    hyphenated = re.sub(r"[^a-z0-9]+", "-", plain.decode().lower()).strip("-")
    return hyphenated[:MAX_SOURCE_LENGTH].strip("-")
