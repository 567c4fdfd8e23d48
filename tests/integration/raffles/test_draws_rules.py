"""Tests of saved and frozen rules, prizes and their pictures."""

import hashlib
from functools import partial

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from shared.core.enums import DrawMethod, RaffleStatus
from shared.raffles import draw_errors
from shared.raffles.draw_models import DrawRules, DrawSource, Prize
from shared.raffles.errors import TransitionNotAllowed
from shared.raffles.models import Raffle, RaffleEvent
from shared.raffles.services.draws import draw_rules, legal_details
from shared.raffles.services.draws.draw_rules import ChosenRules
from tests.builders import NOON, create_raffle
from tests.integration.concurrency import run_at_once
from tests.integration.raffles.draw_steps import DRAW_AT, DRUM, RITA, choose_lottery, sell

pytestmark = pytest.mark.django_db(transaction=True)


def save(raffle: Raffle, chosen: ChosenRules) -> DrawRules:
    """Save rules."""
    return draw_rules.save_rules(raffle.pk, chosen, by=RITA, now=NOON)


def list_titles(raffle: Raffle) -> list[str]:
    """Return the titles of the prizes in their order."""
    return list(Prize.objects.filter(raffle=raffle).values_list("title", flat=True))


def list_pictures(raffle: Raffle) -> list[str]:
    """Return the names of the prizes' pictures in their order."""
    return list(Prize.objects.filter(raffle=raffle).values_list("picture", flat=True))


def test_rules_change_until_the_first_sale_and_are_frozen_with_their_hash() -> None:
    raffle = create_raffle(numbers=100, first_number=0, draw_at=DRAW_AT)
    save(raffle, DRUM)
    save(raffle, choose_lottery(prizes=[" a car\n", "a\tbicycle\x00"]))
    assert list_titles(raffle) == ["a car", "a bicycle"]
    assert DrawRules.objects.get(raffle=raffle).minimum_sold == 2
    with pytest.raises(draw_errors.RulesInvalid):
        save(raffle, choose_lottery(prizes=["a car", ""]))
    raffle.refresh_from_db()
    shown = draw_rules.load_rule_text(raffle)

    sell(raffle, 1)

    frozen = draw_rules.load_frozen_rules(raffle.pk)
    assert frozen.text == shown
    assert frozen.sha256 == hashlib.sha256(shown.encode()).hexdigest()
    with pytest.raises(draw_errors.RulesFrozen):
        save(raffle, ChosenRules())
    Raffle.objects.filter(pk=raffle.pk).update(status=RaffleStatus.SEALED)
    with pytest.raises(TransitionNotAllowed):
        save(raffle, ChosenRules())
    Raffle.objects.filter(pk=raffle.pk).update(title="Another title", prize="a boat")
    raffle.refresh_from_db()
    assert draw_rules.load_rule_text(raffle) == shown
    assert draw_rules.load_chosen_rules(raffle).prizes == ["a car", "a bicycle"]


def test_a_single_prize_is_the_one_on_the_card() -> None:
    raffle = create_raffle(numbers=100, prize="a car", draw_at=DRAW_AT)
    save(raffle, ChosenRules())
    assert list_titles(raffle) == ["a car"]
    save(raffle, ChosenRules(prizes=["a boat"]))
    raffle.refresh_from_db()
    assert raffle.prize == "a boat"
    save(raffle, ChosenRules(prizes=["a car", "a boat"]))
    raffle.refresh_from_db()
    assert raffle.prize == "a boat"  # a headline for both
    save(raffle, ChosenRules(prizes=["a car"]))
    Raffle.objects.filter(pk=raffle.pk).update(prize="a red car")
    raffle.refresh_from_db()
    assert "Prize 1: a red car\n" in draw_rules.load_rule_text(raffle)

    sell(raffle, 1)

    assert list_titles(raffle) == ["a red car"]
    assert "Prize 1: a red car\n" in draw_rules.load_frozen_rules(raffle.pk).text


def test_two_first_sales_at_once_freeze_the_default_rules_once() -> None:
    raffle = create_raffle(numbers=10, draw_at=DRAW_AT)

    run_at_once([partial(sell, raffle, number) for number in (1, 2, 3)])

    raffle.refresh_from_db()
    assert raffle.draw_method == DrawMethod.PUBLIC_VALUE
    assert RaffleEvent.objects.filter(raffle=raffle, action="RULES_FROZEN").count() == 1
    assert DrawSource.objects.filter(raffle=raffle).count() == 1
    assert list_titles(raffle) == ["a motorbike"]


@pytest.mark.same_everywhere
def test_a_picture_stays_with_its_prize_and_its_file_goes_with_it() -> None:
    raffle = create_raffle(numbers=10, with_numbers=False, draw_at=DRAW_AT)
    titles = ["a car", "a boat", "a hat"]
    save(raffle, ChosenRules(prizes=titles))
    files = [ContentFile(title.encode(), "prize.jpg") for title in titles]
    legal_details.save_prize_pictures(raffle.pk, files)
    car, boat, hat = list_pictures(raffle)

    save(raffle, ChosenRules(prizes=["a boat", "a car", "a red hat", "a cup"]))
    assert list_pictures(raffle) == [boat, car, hat, ""]

    save(raffle, ChosenRules(prizes=["a cup", "a car"]))
    assert list_pictures(raffle) == ["", car]
    legal_details.save_prize_pictures(raffle.pk, ["", car], former=[boat, car, hat])
    assert [default_storage.exists(name) for name in (car, boat, hat)] == [True, False, False]
    legal_details.save_prize_pictures(raffle.pk, ["", ContentFile(b"red", "red.jpg")])
    assert not default_storage.exists(car)
    assert default_storage.exists(list_pictures(raffle)[1])
