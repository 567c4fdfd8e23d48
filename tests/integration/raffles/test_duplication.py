"""Tests of duplicating a raffle's terms."""

from dataclasses import replace
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from pytest_django import Settings

from shared.core.enums import SourceKind
from shared.raffles.errors import RaffleNotFound
from shared.raffles.models import Order, Raffle
from shared.raffles.services import duplication
from shared.raffles.services.draws import draw_rules
from shared.raffles.services.draws.draw_rules import ChosenRules, ChosenSource
from tests import builders
from tests.builders import DRAW, MINUTE, NOON, build_staff_actor
from tests.integration.raffles import order_states

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def private_storage(tmp_path: Path, settings: Settings) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        },
    }


class TestDuplicate:
    def test_keeps_the_terms_and_leaves_dates_numbers_and_orders_behind(self) -> None:
        original = builders.create_raffle(
            numbers=10, time_zone="America/Bogota", max_per_contact=5, sales_open_at=NOON
        )
        order_states.create_paid_order(original)

        copy = duplication.duplicate_raffle(original.pk, now=NOON + MINUTE)

        copy.refresh_from_db()
        assert (copy.title, copy.status) == ("Summer Raffle (copy)", "DRAFT")
        assert (copy.prize, copy.price, copy.number_count) == ("a motorbike", original.price, 10)
        assert (copy.time_zone, copy.max_per_contact) == ("America/Bogota", 5)
        assert (copy.sales_open_at, copy.sales_close_at, copy.draw_at) == (None, None, None)
        assert copy.created_at == NOON + MINUTE
        assert not copy.numbers.exists()
        assert not Order.objects.filter(raffle=copy).exists()

    def test_says_of_every_field_whether_it_is_a_term(self) -> None:
        left_behind = {
            "id", "title", "picture", "status", "created_at", "updated_at",
            "sales_open_at", "sales_close_at", "draw_at", "draw_method", "permit_number",
        }  # fmt: skip

        fields = {field.name for field in Raffle._meta.concrete_fields}

        assert fields == {*duplication._COPIED_FIELDS} | left_behind

    def test_copies_the_picture_into_a_file_of_its_own(self) -> None:
        original = builders.create_raffle(numbers=1)
        original.picture.save("bike.png", ContentFile(b"a picture"))

        copy = duplication.duplicate_raffle(original.pk, now=NOON)
        original.picture.delete()

        with copy.picture.open("rb") as file:
            assert file.read() == b"a picture"

    def test_copies_rules_and_prizes_and_leaves_the_dates_of_sources_behind(self) -> None:
        original = builders.create_raffle(
            numbers=10, promoter="Club", permit_number="R-17", adults_only=True
        )
        lottery = ChosenSource(
            SourceKind.LOTTERY, name="Lottery", at=DRAW, value_count=6, lowest=1, highest=49
        )
        chosen = ChosenRules(
            sources=[lottery], prizes=["a bike", "a bell"], minimum_sold=4, claim_days=9
        )
        draw_rules.save_rules(original.pk, chosen, by=build_staff_actor(), now=NOON)
        bike = original.prizes.get(position=1)
        bike.picture.save("bike.png", ContentFile(b"a picture"))
        order_states.create_paid_order(original)

        copy = duplication.duplicate_raffle(original.pk, now=NOON)
        bike.picture.delete()

        copy.refresh_from_db()
        assert draw_rules.load_chosen_rules(copy) == replace(
            chosen, sources=[replace(lottery, at=None)]
        )
        assert (copy.promoter, copy.permit_number, copy.adults_only) == ("Club", "", True)
        assert copy.rules.frozen_at is None
        with copy.prizes.get(position=1).picture.open("rb") as file:
            assert file.read() == b"a picture"

    def test_does_without_a_picture_that_is_lost(self) -> None:
        original = builders.create_raffle(numbers=1)
        original.picture.save("bike.png", ContentFile(b"a picture"))
        original.picture.storage.delete(str(original.picture.name))

        assert not duplication.duplicate_raffle(original.pk, now=NOON).picture

    def test_of_a_copy_is_called_a_copy_once_however_long_the_title(self) -> None:
        original = builders.create_raffle(numbers=1, title="T" * 60)

        second = duplication.duplicate_raffle(
            duplication.duplicate_raffle(original.pk, now=NOON).pk, now=NOON
        )

        assert second.title == "T" * 53 + " (copy)"

    def test_says_so_when_there_is_no_such_raffle(self) -> None:
        with pytest.raises(RaffleNotFound):
            duplication.duplicate_raffle(0, now=NOON)
