"""The spelling of text in which a search compares it: without case, accents and punctuation."""

import unicodedata
from collections.abc import Iterable
from typing import Final

_PLAIN_LETTERS: Final = str.maketrans(
    {
        # letters that Unicode does not decompose into a plain one and a mark
        "æ": "ae",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "ı": "i",
        "ĸ": "k",
        "ł": "l",
        "ŋ": "n",
        "ø": "o",
        "œ": "oe",
        "þ": "th",
        "ŧ": "t",
        # Arabic letters that people write in place of each other
        "ى": "ي",
        "ی": "ي",
        "ک": "ك",
        "ة": "ه",
        "ـ": "",  # tatweel, which only stretches a word
    }
)
_JOINING_SIGNS: Final = frozenset("'`´’‘ʼʹ＇\"“”")
"""Signs inside a word that people leave out: O'Brien is OBrien."""


def fold_for_search(text: str) -> str:
    """Return text as a search compares it: words of plain lower-case letters, one space between.

    Accents, points and vowel signs go, other letters of one look become one, every decimal digit
    is an ASCII digit, and punctuation separates words. Text of punctuation alone keeps it, so that
    it can be found, too.
    """
    plain = _strip_marks(unicodedata.normalize("NFKD", text).casefold()).translate(_PLAIN_LETTERS)
    words = "".join(_fold_characters(plain)).split()
    if not words:
        words = "".join(sign for sign in plain if _is_visible(sign)).split()
    return unicodedata.normalize("NFC", " ".join(words))


def fold_digits(text: str) -> str:
    """Return text with the digits of every script as ASCII digits, and without invisible signs."""
    return "".join(
        str(unicodedata.decimal(sign)) if sign.isdecimal() else sign
        for sign in unicodedata.normalize("NFKC", text)
        if _is_visible(sign)
    )


def _strip_marks(text: str) -> str:
    """Remove accents; marks of class 0, such as Indian and Thai vowels, are letters by right."""
    decomposed = unicodedata.normalize("NFKD", text)  # lower case may bring new marks: İ
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def _fold_characters(text: str) -> Iterable[str]:
    for sign in text:
        if sign.isdecimal():
            yield str(unicodedata.decimal(sign))
        elif sign.isspace() or (
            unicodedata.category(sign)[0] in "PZ" and sign not in _JOINING_SIGNS
        ):
            yield " "
        elif _is_visible(sign) and sign not in _JOINING_SIGNS:
            yield sign


def _is_visible(sign: str) -> bool:
    """Whether a character is seen: no control or format character, no variation selector."""
    if sign.isspace():
        return True
    is_selector = "\ufe00" <= sign <= "\ufe0f"
    return not is_selector and unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Cn"}
