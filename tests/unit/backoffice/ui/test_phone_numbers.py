"""Tests of phone numbers that staff typed, as links to WhatsApp need them."""

import pytest

from backoffice.ui import phone_numbers


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("+1 (555) 010-0000", "15550100000"),
        ("001 555 010 0000", "15550100000"),
        ("(+44) 7400 123456", "447400123456"),
        ("+49 (0)30 1234567", "49301234567"),
        ("+٥٥ ١١ ٩٦١٢٣ ٤٥٦٧", "5511961234567"),
        ("", ""),
        ("15550100000", ""),  # of which country?
        ("555 010 0000", ""),
        ("07400 123456", ""),
        ("+1 555 01", ""),
        ("+999 555 010 0000", ""),
        ("+", ""),
        ("call me", ""),
    ],
)
def test_have_a_country_code_or_no_link(typed: str, digits: str) -> None:
    assert phone_numbers.find_international_digits(typed) == digits
