"""Raffles on their way to the draw, through the services, for tests."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from shared.raffles.actor import Actor
from shared.raffles.draws.draw_models import DrawResult, SealedList
from shared.raffles.models import Order, Raffle
from shared.raffles.services import lifecycle, orders, reservations
from shared.raffles.services.draws import (
    draw_rules,
    drawing,
    sealed_lists,
    source_readings,
    winners,
)
from shared.raffles.services.draws.draw_rules import ChosenRules
from shared.raffles.services.payment_decisions import payments
from shared.whatsapp.models import WhatsAppContact
from tests import builders
from tests.builders import NOON

DRAW_AT: Final = NOON + timedelta(hours=8)
RITA: Final[Actor] = builders.build_staff_actor()
VALUE: Final = "ab" * 32


def create_raffle_to_draw(*, prizes: int = 1, numbers: int = 20) -> Raffle:
    """Create a raffle with rules and some prizes, drawn eight hours from now."""
    raffle = builders.create_raffle(numbers=numbers, draw_at=DRAW_AT)
    titles = ["a motorbike", "a helmet", "a cap"][:prizes]
    draw_rules.save_rules(
        raffle.pk, ChosenRules(prizes=titles, minimum_sold=prizes), by=RITA, now=NOON
    )
    raffle.refresh_from_db()
    return raffle


def sell(raffle: Raffle, *numbers: int, buyer: WhatsAppContact | None = None) -> Order:
    """Sell ticket numbers to a buyer, or for cash."""
    changes = {} if buyer is not None else {"buyer_name": "Bo Li", "buyer_phone": "+1 555 0199"}
    with transaction.atomic():
        held = reservations.hold_chosen_or_random(
            raffle,
            contact_id=buyer.pk if buyer is not None else None,
            numbers=numbers,
            quantity=0,
            pivot=0,
            by=RITA,
            now=NOON,
        )
        order = orders.place(held, at=NOON, now=NOON, by=RITA, changes=changes)
        payments.sell_order(order, by=RITA, now=NOON, late=False)
    return order


def seal(raffle: Raffle) -> None:
    """End the sale and seal the list."""
    lifecycle.close(raffle.pk, by=RITA, now=NOON)
    sealed_lists.seal(raffle.pk, two_people=False, by=RITA, now=NOON)
    raffle.refresh_from_db()


def draw(raffle: Raffle, *, value: str = VALUE, now: datetime = DRAW_AT) -> list[DrawResult]:
    """Enter the public value and draw all prizes."""
    source_readings.enter_values(
        raffle.pk, position=1, values=[value], link="https://example.com/1", by=RITA, now=now
    )
    raffle.refresh_from_db()
    inputs = drawing.load_inputs(raffle, SealedList.objects.get(raffle=raffle))
    drawn = drawing.draw(raffle.pk, fingerprint=inputs.fingerprint, by=RITA, now=now)
    raffle.refresh_from_db()
    return list(drawn.results)


def confirm(*results: DrawResult, now: datetime = DRAW_AT) -> None:
    """Confirm winners."""
    for result in results:
        winners.confirm_winner(result.pk, by=RITA, now=now)
