"""Tests of the spelling in which a search compares text."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from shared.core.search_text import fold_digits, fold_for_search
from tests.cases import walk_cases


@walk_cases(
    ("written", "folded"),
    [
        ("José", "jose"),
        ("JOSE\u0301", "jose"),
        ("Łukasz Żółć", "lukasz zolc"),
        ("Straße", "strasse"),
        ("IŞIL İpek ılık", "isil ipek ilik"),
        ("Søren Ærø Þór", "soren aero thor"),
        ("Đặng Văn", "dang van"),
        ("Σίσυφος ΣΊΣΥΦΟΣ", "σισυφοσ σισυφοσ"),
        ("Алёна Й", "алена и"),
        ("مُحَمَّد", "محمد"),
        ("أحمد إيمان آمنة", "احمد ايمان امنه"),
        ("محمـــد علی", "محمد علي"),
        ("שָׁלוֹם", "שלום"),
        ("Ｆｕｌｌ　Ｗｉｄｔｈ", "full width"),
        ("O’Brien-Smith", "obrien smith"),
        ("@ana.garcia_99", "ana garcia 99"),
        ("\u202aAna\u202c\u200b", "ana"),
        ("Ana ❤️", "ana ❤"),
        ("٠١٢ ۳۴", "012 34"),
        ("¿?!…", "¿?!..."),
        (" \n\t", ""),
    ],
)
def test_folds_case_accents_and_punctuation(written: str, folded: str) -> None:
    assert fold_for_search(written) == folded


def test_keeps_vowel_signs_that_are_letters_by_right() -> None:
    assert fold_for_search("कि") != fold_for_search("कु")


@given(st.text(max_size=60))
def test_finds_every_text_by_itself_in_any_case_and_without_accents(text: str) -> None:
    folded = fold_for_search(text)
    without_accents = "".join(
        sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign)
    )

    assert fold_for_search(folded) == folded
    for typed in (text, without_accents):
        assert all(word in folded for word in fold_for_search(typed).split())
    assert fold_for_search(text.upper().lower()) == fold_for_search(text.lower().upper().lower())


@given(st.text(alphabet=st.characters(categories=["Lu", "Ll"]), min_size=1, max_size=30))
def test_finds_letters_in_either_case(name: str) -> None:
    assert fold_for_search(name.casefold()) == fold_for_search(name)


@given(st.text(max_size=40))
def test_never_leaves_a_digit_of_another_script(text: str) -> None:
    assert all(sign.isascii() for sign in fold_digits(text) if sign.isdecimal())
