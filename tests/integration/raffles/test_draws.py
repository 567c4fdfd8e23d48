"""The way of a raffle from its first sale to claimed prizes, through the services."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from shared.core.enums import (
    ActorKind,
    RaffleStatus,
    RedrawReason,
)
from shared.raffles import draw_errors
from shared.raffles.actor import Actor
from shared.raffles.draw_models import SealedList
from shared.raffles.models import Order, Raffle
from shared.raffles.services import lifecycle, orders, reservations
from shared.raffles.services.draws import (
    draw_rules,
    drawing,
    sealing,
    source_readings,
    winners,
)
from shared.raffles.services.draws.draw_rules import ChosenRules
from shared.raffles.services.payment_decisions import payments
from tests.builders import NOON, build_staff_actor, create_raffle

pytestmark = pytest.mark.django_db(transaction=True)

RITA = build_staff_actor()
OMAR = Actor(ActorKind.STAFF, id="8", label="omar")
TOKEN = Actor(ActorKind.TOKEN, id="3", label="n8n")
DRAW_AT = NOON + timedelta(hours=8)
VALUE = "ab" * 32
LINK = "https://example.com/round"


def sell(raffle: Raffle, *numbers: int, now: datetime = NOON) -> Order:
    """Sell ticket numbers for cash."""
    with transaction.atomic():
        held = reservations.hold_chosen_or_random(
            raffle, contact_id=None, numbers=numbers, quantity=0, pivot=0, by=RITA, now=now
        )
        order = orders.place(held, at=now, now=now, by=RITA, changes={"buyer_name": "Bo Li"})
        payments.sell_order(order, by=RITA, now=now, late=False)
    return order


def close_and_seal(raffle: Raffle, *, two_people: bool = False, now: datetime = NOON) -> SealedList:
    lifecycle.close(raffle.pk, by=RITA, now=now)
    return sealing.seal(raffle.pk, two_people=two_people, by=RITA, now=now)


def enter(raffle: Raffle, *values: str, by: Actor = RITA, now: datetime = DRAW_AT) -> Any:
    return source_readings.enter_values(
        raffle.pk, position=1, values=values, link=LINK, by=by, now=now
    )


def draw(raffle: Raffle, *, now: datetime = DRAW_AT) -> drawing.Drawn:
    raffle.refresh_from_db()
    inputs = drawing.load_inputs(raffle, SealedList.objects.get(raffle=raffle))
    return drawing.draw(raffle.pk, fingerprint=inputs.fingerprint, by=RITA, now=now)


def test_a_raffle_is_sold_sealed_drawn_redrawn_and_claimed() -> None:
    raffle = create_raffle(numbers=20, draw_at=DRAW_AT)
    draw_rules.save_rules(
        raffle.pk,
        ChosenRules(prizes=["a motorbike", "a helmet"], minimum_sold=2),
        by=RITA,
        now=NOON,
    )
    for number in range(1, 11):
        sell(raffle, number)
    sealed = close_and_seal(raffle)
    assert bytes(sealed.numbers) == b"01\n02\n03\n04\n05\n06\n07\n08\n09\n10\n"
    assert sealed.sha256 == hashlib.sha256(bytes(sealed.numbers)).hexdigest()
    with pytest.raises(draw_errors.ValueNotDue):
        enter(raffle, VALUE, now=NOON)
    enter(raffle, VALUE)
    drawn = draw(raffle)
    assert [result.prize.title for result in drawn.results] == ["a motorbike", "a helmet"]
    assert draw(raffle).repeated
    raffle.refresh_from_db()
    assert raffle.status == RaffleStatus.DRAWN
    first, second = drawn.results
    with pytest.raises(draw_errors.RedrawTooEarly):
        drawing.redraw(
            first.pk, reason=RedrawReason.UNCLAIMED, comment="silent", by=RITA, now=DRAW_AT
        )
    late = DRAW_AT + timedelta(days=31)
    again = drawing.redraw(
        first.pk, reason=RedrawReason.UNCLAIMED, comment="silent", by=RITA, now=late
    )
    assert (again.attempt, again.selection) == (2, 2)
    assert len({first.number, second.number, again.number}) == 3
    with pytest.raises(draw_errors.WinnerNotConfirmed):
        winners.claim_prize(again.pk, note="", by=RITA, now=late)
    with pytest.raises(draw_errors.SecondPersonNeeded):
        winners.confirm_winner(again.pk, by=TOKEN, now=late)
    claim = winners.confirm_winner(again.pk, by=RITA, now=late)
    assert claim.winner_name == "Bo Li"
    winners.claim_prize(again.pk, note="handed over", by=RITA, now=late)
    with pytest.raises(draw_errors.PrizeClaimed):
        drawing.redraw(again.pk, reason=RedrawReason.DECLINED, comment="no", by=RITA, now=late)
