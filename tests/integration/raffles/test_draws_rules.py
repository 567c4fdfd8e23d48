"""Tests of saved and frozen rules, prizes and their pictures."""

import hashlib
from functools import partial

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from shared.core.enums import DrawMethod, RaffleStatus
from shared.raffles.draws import draw_errors
from shared.raffles.draws.draw_models import DrawRules, DrawSource, Prize
from shared.raffles.errors import TransitionNotAllowed
from shared.raffles.models import Raffle, RaffleEvent
from shared.raffles.services.draws import draw_rules, prizes
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
def test_a_picture_stays_with_its_prize_and_goes_with_it() -> None:
    raffle = create_raffle(numbers=10, with_numbers=False, draw_at=DRAW_AT)
    with pytest.raises(draw_errors.PrizeNotFound):
        prizes.set_prize_picture(raffle.pk, position=1, picture=None)
    save(raffle, ChosenRules(prizes=["a car", "a boat", "a hat"]))
    names = {}
    for position, title in enumerate(["a car", "a boat", "a hat"], start=1):
        picture = ContentFile(title.encode(), f"{position}.jpg")
        prize = prizes.set_prize_picture(raffle.pk, position=position, picture=picture)
        names[title] = str(prize.picture.name)

    save(raffle, ChosenRules(prizes=["a boat", "a car", "a red hat", "a cup"]))

    assert [prize.picture.name for prize in Prize.objects.filter(raffle=raffle)] == [
        names["a boat"],
        names["a car"],
        names["a hat"],
        "",
    ]
    save(raffle, ChosenRules(prizes=["a cup", "a car"]))
    assert [prize.picture.name for prize in Prize.objects.filter(raffle=raffle)] == [
        "",
        names["a car"],
    ]
    left = {title: default_storage.exists(name) for title, name in names.items()}
    assert left == {"a car": True, "a boat": False, "a hat": False}
    prizes.set_prize_picture(raffle.pk, position=2, picture=ContentFile(b"red", "red.jpg"))
    assert not default_storage.exists(names["a car"])
    removed = prizes.set_prize_picture(raffle.pk, position=2, picture=None)
    assert not removed.picture
    with transaction.atomic():
        draw_rules.freeze_rules(raffle, by=RITA, now=NOON)
    with pytest.raises(draw_errors.RulesFrozen):
        prizes.set_prize_picture(raffle.pk, position=1, picture=None)
