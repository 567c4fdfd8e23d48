"""Phone numbers that staff typed, as WhatsApp's links need them."""

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat


def group_digits(shown: str) -> str:
    """Return a phone number with its country code in groups: "+1 555-010-0000".

    One that is no phone number of any country stays as it is.
    """
    try:
        number = phonenumbers.parse(shown)
    except NumberParseException:
        return shown
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)


def find_international_digits(typed: str) -> str:
    """Return a phone number with its country code and without `+`; empty if it has none.

    Without the country code a link would lead to somebody else's phone, so none is guessed.

    Args:
        typed: the phone number in any notation; `+` or `00` is before the country code.

    """
    text = typed.strip().lstrip("(").replace("(0)", "")
    if text.startswith("00"):
        text = "+" + text.removeprefix("00")
    if not text.startswith("+"):
        return ""
    try:
        number = phonenumbers.parse(text)
    except NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+")
