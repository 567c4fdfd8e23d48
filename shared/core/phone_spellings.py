"""The spellings of a phone number: as WhatsApp stores it, and as people dial it.

Numbering plans come from Google's library. Three countries need more, since WhatsApp's digits are
not those that people dial: Brazil (a 9 before mobile numbers), Mexico (a 1 after 52, in use until
2019) and Argentina (a 9 after 54 from abroad, a 15 after the area code at home).
"""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

from shared.core.search_text import fold_digits

MAX_PHONE_CHARACTERS: Final = 60
"""Characters of a term that may be a phone number: it has 15 digits, and people add signs."""

_MIN_DIGITS_AFTER_ZEROS: Final = 4
"""With fewer digits behind them, leading zeros are no prefix but a part of the number's end."""

_LINK_PREFIX: Final = re.compile(r"^\s*(?:tel:|(?:https?://)?wa\.me/)", re.IGNORECASE)
_PHONE_SIGNS: Final = re.compile(r"[+\d\s()\[\].,/·‐‑‒–—−_-]+")
_TRUNK_IN_BRACKETS: Final = re.compile(r"\(\s*0\s*\)")
_INTERNATIONAL_PREFIX: Final = re.compile(r"[\s(\[]*+(?:\+|00)")
_MEXICAN_MOBILE: Final = re.compile(r"0(?:1|44|45)(\d{10})")
"""Prefixes that were dialled in Mexico until 2019 and are still written on cards."""

_OPTIONAL_DIGITS: Final = (
    (re.compile(r"(55\d\d)9?([6-9]\d{7})"), r"\g<1>9\g<2>", r"\g<1>\g<2>"),
    (re.compile(r"(52)1?(\d{10})"), r"\g<1>1\g<2>", r"\g<1>\g<2>"),
    (re.compile(r"(54)9?(\d{10})"), r"\g<1>9\g<2>", r"\g<1>\g<2>"),
)
"""International digits of Brazil, Mexico and Argentina, with and without the optional one."""


def list_stored_spellings(digits: str) -> list[str]:
    """Return the digits under which a phone number is stored for the search.

    Any way of dialling the whole number, or the end of it, is part of one of them.

    Args:
        digits: the international number without `+`.

    """
    international = _list_international_spellings(digits)
    national = [
        _format_national(parsed) for parsed in _parse_all(f"+{one}" for one in international)
    ]
    return _drop_parts([*international, *national])


def list_typed_spellings(phone: str) -> list[str]:
    """Return the digits under which a phone number that a person typed is stored for the search.

    Args:
        phone: the number as typed, with or without its country code; anything else has none.

    """
    text = _clean_term(phone)
    if text is None:
        return []
    if _INTERNATIONAL_PREFIX.match(text):
        return list_stored_spellings(_read_international_digits(text))
    return _drop_parts([re.sub(r"\D", "", text).lstrip("0")])


def list_dialled_spellings(term: str, *, regions: Collection[str] = ()) -> list[str]:
    """Return digits to look for in stored spellings, if a search term may be a phone number.

    Args:
        term: a phone number or a part of it in any notation, with the digits of any script.
        regions: countries whose dialling rules may apply (ISO 3166), e.g. "BR".

    """
    text = _clean_term(term)
    if text is None:
        return []
    typed = re.sub(r"\D", "", text)
    if _INTERNATIONAL_PREFIX.match(text):
        digits = _read_international_digits(text)
        parsed = _parse_all([f"+{digits}"])
    else:
        digits = typed.lstrip("0")
        parsed = _parse_all([text], regions=regions)
    if len(digits) < _MIN_DIGITS_AFTER_ZEROS:
        digits = typed
    spellings = [digits, *(_format_international(number) for number in parsed)]
    if mexican := _MEXICAN_MOBILE.fullmatch(typed):
        spellings.append(f"52{mexican[1]}")
    return list(dict.fromkeys(filter(None, spellings)))


def list_national_spellings(term: str) -> list[str]:
    """Return the digits of an international number without its country code; none for others."""
    text = _clean_term(term)
    if text is None or not _INTERNATIONAL_PREFIX.match(text):
        return []
    numbers = _parse_all(
        f"+{one}" for one in _list_international_spellings(_read_international_digits(text))
    )
    written = (str(number.national_number) for number in numbers)
    dialled = (_format_national(number) for number in _parse_all([text]))
    return list(dict.fromkeys(filter(None, (*written, *dialled))))


def find_region(phone: str) -> str | None:
    """Return the country of an international number (ISO 3166), or None if it has none."""
    digits = re.sub(r"\D", "", fold_digits(phone))
    return next(
        filter(None, map(phonenumbers.region_code_for_number, _parse_all([f"+{digits}"]))), None
    )


def _clean_term(term: str) -> str | None:
    """Return a term with ASCII digits, or None if it cannot be a phone number."""
    if len(term) > MAX_PHONE_CHARACTERS:
        return None
    text = _LINK_PREFIX.sub("+", fold_digits(term), count=1).replace("++", "+")
    if not _PHONE_SIGNS.fullmatch(text):
        return None
    return _TRUNK_IN_BRACKETS.sub("", text).strip()


def _read_international_digits(text: str) -> str:
    prefix = _INTERNATIONAL_PREFIX.match(text)
    return re.sub(r"\D", "", text[prefix.end() :] if prefix else text).lstrip("0")


def _list_international_spellings(digits: str) -> list[str]:
    for pattern, *spellings in _OPTIONAL_DIGITS:
        if match := pattern.fullmatch(digits):
            return list(dict.fromkeys([digits, *(match.expand(each) for each in spellings)]))
    return [digits] if digits else []


def _parse_all(texts: Iterable[str], *, regions: Collection[str] = ()) -> Iterator[PhoneNumber]:
    """Yield the numbers that a text can be; one without `+` belongs to one of the regions."""
    for text in texts:
        for region in (None,) if text.startswith("+") else regions:
            try:
                number = phonenumbers.parse(text, region)
            except NumberParseException:  # too short, or a country code that nobody has
                continue
            if phonenumbers.is_possible_number(number):
                yield number


def _format_international(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+")


def _format_national(number: PhoneNumber) -> str:
    text = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    return re.sub(r"\D", "", text).lstrip("0")


def _drop_parts(spellings: list[str]) -> list[str]:
    """Drop spellings that are part of another one."""
    longest_first = sorted(set(filter(None, spellings)), key=lambda one: (-len(one), one))
    kept: list[str] = []
    for spelling in longest_first:
        if not any(spelling in other for other in kept):
            kept.append(spelling)
    return kept
