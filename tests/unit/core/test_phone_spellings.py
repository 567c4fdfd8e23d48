"""Tests of phone numbers as people dial them; the numbers are Google's examples."""

from typing import Final

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from shared.core import phone_spellings
from tests.cases import walk_cases

MOBILES: Final = {
    region: number
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    if (number := phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE))
}


def is_found(dialled: str, *, stored: str, regions: tuple[str, ...] = ()) -> bool:
    spellings = phone_spellings.list_stored_spellings(stored)
    wanted = phone_spellings.list_dialled_spellings(dialled, regions=regions)
    return any(want in spelling for want in wanted for spelling in spellings)


def format_digits(region: str) -> str:
    return phonenumbers.format_number(MOBILES[region], PhoneNumberFormat.E164).removeprefix("+")


@walk_cases("region", MOBILES)
def test_finds_the_example_of_every_country_however_it_is_written(region: str) -> None:
    digits = format_digits(region)
    international = phonenumbers.format_number(MOBILES[region], PhoneNumberFormat.INTERNATIONAL)
    national = phonenumbers.format_number(MOBILES[region], PhoneNumberFormat.NATIONAL)
    for dialled in (
        digits,
        f"+{digits}",
        f"00{digits}",
        f"00 {digits[:3]} {digits[3:]}",
        international,
        international.replace(" ", "-"),
        international.replace("+", "＋").translate({ord("0") + n: 0x660 + n for n in range(10)}),
        f"\u202a{international}\u202c",
        national,
        national.replace(" ", "").replace("-", "."),
        f"wa.me/{digits}",
        digits[-5:],
    ):
        assert is_found(dialled, stored=digits), dialled


BRAZIL_WITH, BRAZIL_WITHOUT = "5511961234567", "551161234567"
MEXICO_WITH, MEXICO_WITHOUT = "5212221234567", "522221234567"
ARGENTINA_WITH, ARGENTINA_WITHOUT = "5491123456789", "541123456789"


@pytest.mark.parametrize(
    ("stored", "dialled"),
    [
        ((BRAZIL_WITH, BRAZIL_WITHOUT), "+55 11 96123-4567"),
        ((BRAZIL_WITH, BRAZIL_WITHOUT), "+55 11 6123-4567"),
        ((BRAZIL_WITH, BRAZIL_WITHOUT), "(011) 96123 4567"),
        ((BRAZIL_WITH, BRAZIL_WITHOUT), "11 6123 4567"),
        ((BRAZIL_WITH, BRAZIL_WITHOUT), "96123-4567"),
        ((MEXICO_WITH, MEXICO_WITHOUT), "+52 1 222 123 4567"),
        ((MEXICO_WITH, MEXICO_WITHOUT), "+52 222 123 4567"),
        ((MEXICO_WITH, MEXICO_WITHOUT), "044 222 123 4567"),
        ((MEXICO_WITH, MEXICO_WITHOUT), "01 222 123 4567"),
        ((MEXICO_WITH, MEXICO_WITHOUT), "222 123 4567"),
        ((ARGENTINA_WITH, ARGENTINA_WITHOUT), "+54 9 11 2345-6789"),
        ((ARGENTINA_WITH, ARGENTINA_WITHOUT), "+54 11 2345-6789"),
        ((ARGENTINA_WITH, ARGENTINA_WITHOUT), "+54 11 15 2345-6789"),
        ((ARGENTINA_WITH, ARGENTINA_WITHOUT), "011 15-2345-6789"),
        ((ARGENTINA_WITH, ARGENTINA_WITHOUT), "15 2345 6789"),
        ((ARGENTINA_WITH, ARGENTINA_WITHOUT), "11 2345 6789"),
    ],
)
def test_ignores_the_digits_that_whatsapp_adds_or_leaves_out(
    stored: tuple[str, str], dialled: str
) -> None:
    assert [is_found(dialled, stored=each) for each in stored] == [True, True]


@pytest.mark.parametrize(
    ("stored", "dialled", "region"),
    [
        (BRAZIL_WITH, "0 15 11 96123-4567", "BR"),  # with the number of a carrier
        ("447400123456", "011 44 7400 123456", "US"),
        ("447400123456", "+44 (0)7400 123456", "US"),
        ("447400123456", "+44 07400 123456", "US"),
    ],
)
def test_knows_what_is_dialled_before_a_number(stored: str, dialled: str, region: str) -> None:
    assert is_found(dialled, stored=stored, regions=(region,))


@pytest.mark.parametrize("term", ["", "Ana", "R-7K3F9", "#07", "+", "--", "١٢ ana", "1" * 61])
def test_takes_nothing_else_for_a_phone(term: str) -> None:
    assert phone_spellings.list_dialled_spellings(term) == []


def test_finds_a_number_that_was_typed_without_its_country_by_the_whole_number() -> None:
    stored = phone_spellings.list_typed_spellings("07400 123456")
    wanted = phone_spellings.list_national_spellings("+44 7400 123456")

    assert stored == ["7400123456"]
    assert wanted == ["7400123456"]
    assert phone_spellings.list_typed_spellings("ask Ana") == []


@given(st.text(max_size=70))
def test_bears_any_text(term: str) -> None:
    for spelling in phone_spellings.list_dialled_spellings(term, regions=("AR", "BR", "MX")):
        assert spelling.isascii()
        assert spelling.isdecimal()


@given(st.from_regex(r"[1-9]\d{0,31}", fullmatch=True))
def test_finds_any_stored_digits_by_themselves(digits: str) -> None:
    digits = "".join(str(int(sign)) for sign in digits)

    assert is_found(digits, stored=digits)
    assert is_found(f"+{digits}", stored=digits)
