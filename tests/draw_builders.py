"""Raffles that are sold, sealed and drawn, for tests of whatever shows or tells of draws."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from shared.core.enums import SourceKind
from shared.raffles.draws.draw_models import SealedList
from shared.raffles.models import Order, Raffle
from shared.raffles.services import lifecycle, orders, reservations
from shared.raffles.services.draws import draw_rules, drawing, sealed_lists, source_readings
from shared.raffles.services.draws.draw_rules import ChosenRules, ChosenSource
from shared.raffles.services.payment_decisions import payments
from shared.whatsapp.models import WhatsAppContact
from tests import builders
from tests.builders import NOON, build_staff_actor

DRAW_AT: Final = NOON + timedelta(hours=8)
LINK: Final = "https://example.com/result"


def build_rules(*, draw_at: datetime = DRAW_AT) -> ChosenRules:
    """Build rules of two prizes, with a lottery of one number that draws once a week."""
    lottery = ChosenSource(
        SourceKind.LOTTERY, name="State Lottery", at=draw_at, highest=9_999_999, repeat_days=7
    )
    return ChosenRules(sources=[lottery], prizes=["a motorbike", "a helmet"], minimum_sold=2)


def create_raffle_with_rules(
    *,
    draw_at: datetime = DRAW_AT,
    title: str = "Summer Raffle",
    rules: ChosenRules | None = None,
) -> Raffle:
    """Create an open raffle of the numbers 01 to 20, with rules; by default `build_rules`."""
    raffle = builders.create_raffle(title=title, numbers=20, draw_at=draw_at, promoter="The Club")
    chosen = rules or build_rules(draw_at=draw_at)
    draw_rules.save_rules(raffle.pk, chosen, by=build_staff_actor(), now=NOON)
    raffle.refresh_from_db()
    return raffle


def sell_numbers(raffle: Raffle, *numbers: int, buyer: WhatsAppContact | None = None) -> Order:
    """Sell ticket numbers two hours before the draw: to a buyer, or for cash to Bo Li."""
    assert raffle.draw_at is not None
    by, at = build_staff_actor(), raffle.draw_at - timedelta(hours=2)
    with transaction.atomic():
        held = reservations.hold_chosen_or_random(
            raffle,
            contact_id=buyer.pk if buyer else None,
            numbers=numbers,
            quantity=0,
            pivot=0,
            by=by,
            now=at,
        )
        changes = {} if buyer else {"buyer_name": "Bo Li", "buyer_phone": "+15550100777"}
        order = orders.place(held, at=at, now=at, by=by, changes=changes)
        payments.sell_order(order, by=by, now=at, late=False)
    return order


def seal_raffle(raffle: Raffle, *, two_people: bool = False) -> SealedList:
    """Close and seal a raffle an hour before its draw."""
    assert raffle.draw_at is not None
    by, now = build_staff_actor(), raffle.draw_at - timedelta(hours=1)
    lifecycle.close(raffle.pk, by=by, now=now)
    return sealed_lists.seal(raffle.pk, two_people=two_people, by=by, now=now)


def draw_raffle(raffle: Raffle, *, value: str = "0123456") -> drawing.Drawn:
    """Enter the value of a sealed raffle's source at the time of the draw, and draw."""
    by, now = build_staff_actor(), raffle.draw_at
    assert now is not None
    source_readings.enter_values(raffle.pk, position=1, values=[value], link=LINK, by=by, now=now)
    raffle.refresh_from_db()
    inputs = drawing.load_inputs(raffle, SealedList.objects.get(raffle=raffle))
    return drawing.draw(raffle.pk, fingerprint=inputs.fingerprint, by=by, now=now)
