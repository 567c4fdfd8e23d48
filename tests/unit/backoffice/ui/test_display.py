"""Tests of formatting times, numbers and buyers for staff."""

from datetime import timedelta

import pytest

from backoffice.ui import display
from shared.raffles.models import Raffle
from shared.whatsapp.models import WhatsAppContact
from tests.builders import NOON


class TestTimes:
    def test_are_written_as_a_clock_in_the_zone_shows_them(self) -> None:
        assert display.format_time(NOON, zone="America/Bogota") == "22 Nov 2026, 07:00"
        assert (
            display.format_time_with_zone(NOON, zone="America/Bogota")
            == "22 Nov 2026, 07:00 (America/Bogota)"
        )

    def test_that_are_absent_are_a_dash(self) -> None:
        assert (display.format_time(None), display.format_time_with_zone(None)) == ("–", "–")

    @pytest.mark.parametrize(
        ("passed", "written"),
        [
            (timedelta(seconds=-5), "0 min"),
            (timedelta(seconds=59), "0 min"),
            (timedelta(minutes=59, seconds=59), "59 min"),
            (timedelta(hours=1), "1 h"),
            (timedelta(hours=47), "47 h"),
            (timedelta(days=3), "3 days"),
        ],
    )
    def test_that_passed_are_told_in_one_unit(self, passed: timedelta, written: str) -> None:
        assert display.format_time_since(NOON - passed, now=NOON) == written


class TestNumbers:
    def test_keep_their_zeros(self) -> None:
        assert display.format_ticket_numbers(Raffle(number_count=1000), [7, 213]) == "0007, 0213"


class TestBuyers:
    @pytest.mark.parametrize(
        ("contact", "written"),
        [
            (WhatsAppContact(profile_name="Ana", wa_id="15550100001"), "Ana, +15550100001"),
            (WhatsAppContact(username="ana.m", user_id="US.1"), "ana.m"),
            (WhatsAppContact(user_id="US.1"), "US.1"),
            (None, "sold for cash"),
        ],
    )
    def test_are_named_by_what_is_known(
        self, contact: WhatsAppContact | None, written: str
    ) -> None:
        assert display.format_contact(contact) == written


class TestJson:
    def test_keeps_its_order_and_its_letters_unless_keys_are_sorted(self) -> None:
        assert display.format_json({"ñ": 1, "a": 2}) == '{\n  "ñ": 1,\n  "a": 2\n}'
        assert display.format_json({"ñ": 1, "a": 2}, sort_keys=True).startswith('{\n  "a"')


def test_a_name_from_right_to_left_does_not_turn_the_phone_number_after_it() -> None:
    arabic, latin = "محمد 7", "José 🎟️"

    assert display.isolate_text(arabic) == f"\u2068{arabic}\u2069"
    assert display.isolate_text(latin) == latin
