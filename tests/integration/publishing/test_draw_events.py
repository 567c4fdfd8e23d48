"""Tests of the events of a draw: what each tells, and who won only once that is confirmed."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from shared.core.enums import EventType, RedrawReason
from shared.events.models import Event
from shared.publishing import event_erasure, event_payloads
from shared.raffles.services.draws import drawing, winners
from tests import builders
from tests.builders import NOON, build_staff_actor
from tests.draw_builders import (
    DRAW_AT,
    create_raffle_with_rules,
    draw_raffle,
    seal_raffle,
    sell_numbers,
)

pytestmark = pytest.mark.django_db

DRAW_EVENTS = (
    EventType.RAFFLE_SEALED,
    EventType.RAFFLE_DRAWN,
    EventType.WINNER_CONFIRMED,
    EventType.PRIZE_CLAIMED,
)


def load_told() -> list[tuple[str, dict[str, Any]]]:
    """Return type and data of the events of draws, each as its schema promises."""
    told = []
    for event in Event.objects.filter(type__in=DRAW_EVENTS).order_by("pk"):
        payload = event_payloads.build_event_payload(
            event, public_url="https://x.example", now=NOON
        )
        TypeAdapter(event_payloads.Envelope).validate_python(payload)
        told.append((event.type, payload["data"]))
    return told


def test_a_draw_is_told_step_by_step_and_its_winners_only_once_confirmed() -> None:
    by, later = build_staff_actor(), DRAW_AT + timedelta(hours=1)
    raffle = create_raffle_with_rules()
    ana = builders.create_contact(profile_name="Ana", wa_id="15550100042")
    orders = [sell_numbers(raffle, number, buyer=ana) for number in (3, 7, 13)]
    sealed = seal_raffle(raffle)
    first, second = draw_raffle(raffle).results
    again = drawing.redraw(
        first.pk, reason=RedrawReason.DECLINED, comment="Gave it back.", by=by, now=later
    )

    before = load_told()

    assert [type_ for type_, _ in before] == ["raffle.sealed", "raffle.drawn", "raffle.drawn"]
    (_, told_seal), (_, told_draw), (_, told_again) = before
    assert told_seal["sealed"] == told_draw["sealed"] == told_again["sealed"]
    assert told_seal["raffle"]["status"] == "SEALED"
    assert (told_seal["sealed"]["list_hash"], told_seal["sealed"]["count"]) == (sealed.sha256, 3)
    assert told_seal["sealed"]["chain_head"] == sealed.chain_head
    assert told_seal["sealed"]["sources"][0]["at"] == DRAW_AT.isoformat()
    assert (told_draw["redrawn"], told_draw["raffle"]["status"]) == (False, "DRAWN")
    assert [(one["prize"], one["title"], one["number"]) for one in told_draw["results"]] == [
        (1, "a motorbike", f"{first.number:02d}"),
        (2, "a helmet", f"{second.number:02d}"),
    ]
    [redrawn] = told_again["results"]
    assert told_again["redrawn"]
    assert (redrawn["prize"], redrawn["attempt"], redrawn["reason"], redrawn["comment"]) == (
        1,
        2,
        "DECLINED",
        "Gave it back.",
    )
    assert "Ana" not in str(before)

    for result in (again, second):  # at the same moment: each is told for itself
        winners.confirm_winner(result.pk, by=by, now=later)
    for _ in range(2):
        winners.claim_prize(second.pk, note="Ana took it home", by=by, now=later)

    told = load_told()[3:]
    assert [(type_, data["result"]["prize"]) for type_, data in told] == [
        ("winner.confirmed", 1),
        ("winner.confirmed", 2),
        ("prize.claimed", 2),
    ]
    by_number = {order.list_ticket_numbers()[0]: order for order in orders}
    for _, data in told:
        won = by_number[int(data["result"]["number"])]
        assert data["winner"]["order"] == {"id": won.pk, "code": won.code}
        assert data["winner"]["buyer"]["phone"] == "+15550100042"
        assert data["by"] == {"kind": "staff", "label": "rita"}

    assert event_erasure.erase_order_events([str(order) for order in orders]) > 0

    left = load_told()
    assert "Ana" not in str(left)
    assert "15550100042" not in str(left)
    assert [type_ for type_, _ in left[3:]] == [type_ for type_, _ in told]
