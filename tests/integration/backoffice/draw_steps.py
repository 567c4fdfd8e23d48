"""Raffles at every stage of their draw, made by the services at times of the tests' choosing."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from shared.core.enums import ActorKind
from shared.raffles.actor import Actor
from shared.raffles.draws.draw_models import SealedList
from shared.raffles.models import Order, Raffle
from shared.raffles.services import lifecycle
from shared.raffles.services.draws import draw_rules, drawing, sealed_lists, source_readings
from shared.raffles.services.draws.draw_rules import ChosenRules
from shared.use_cases import cash_sales
from tests import builders
from tests.builders import NOON

DRAW_AT: Final = NOON + timedelta(hours=8)
"""Past by now, so that values can be entered on the pages."""
VALUE: Final = "ab" * 32
LINK: Final = "https://example.com/round"
SYLVIA: Final = Actor(ActorKind.STAFF, id="999", label="sylvia")


def create_sold_raffle(
    *, sold: int = 10, numbers: int = 20, rules: ChosenRules | None = None, **fields: Any
) -> Raffle:
    """Create a raffle whose first numbers are sold for cash, each in an order of its own."""
    raffle = builders.create_raffle(numbers=numbers, **{"draw_at": DRAW_AT, **fields})
    if rules is not None:
        draw_rules.save_rules(raffle.pk, rules, by=SYLVIA, now=NOON)
        raffle.refresh_from_db()
    for number in range(1, sold + 1):
        sell(raffle, number)
    return raffle


def sell(raffle: Raffle, *numbers: int, now: datetime = NOON) -> Order:
    """Sell ticket numbers for cash."""
    return cash_sales.sell_for_cash(
        raffle.pk,
        numbers=numbers,
        quantity=0,
        buyer_name=f"Bo Li {numbers[0]}",
        buyer_phone="+1 (555) 010-9999",
        request_key=uuid4(),
        pivot=0,
        by=SYLVIA,
        now=now,
    ).order


def close_and_seal(raffle: Raffle, *, two_people: bool = False) -> SealedList:
    """Close a raffle and seal it at noon."""
    lifecycle.close(raffle.pk, by=SYLVIA, now=NOON)
    sealed = sealed_lists.seal(raffle.pk, two_people=two_people, by=SYLVIA, now=NOON)
    raffle.refresh_from_db()
    return sealed


def draw(raffle: Raffle, *, value: str = VALUE, now: datetime = DRAW_AT) -> drawing.Drawn:
    """Enter the value of the only source of a sealed raffle, unless it is empty, and draw."""
    if value:
        source_readings.enter_values(
            raffle.pk, position=1, values=[value], link=LINK, by=SYLVIA, now=now
        )
    sealed = SealedList.objects.get(raffle=raffle)
    inputs = drawing.load_inputs(raffle, sealed)
    drawn = drawing.draw(raffle.pk, fingerprint=inputs.fingerprint, by=SYLVIA, now=now)
    raffle.refresh_from_db()
    return drawn
