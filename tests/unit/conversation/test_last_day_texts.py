"""Tests of what buyers read about orders of a raffle that was called off or whose draw is due."""

from dataclasses import replace
from typing import Any, Final

import pytest

from shared.conversation.context import Context
from shared.conversation.facts.values import OrderFacts, RaffleFacts
from shared.conversation.flow import screens
from shared.conversation.texts import my_tickets, order_status, order_updates, orders
from shared.core.enums import OrderStatus
from tests.unit.conversation import sample_facts
from tests.unit.conversation.sample_facts import (
    CANCELLED,
    DRAFT,
    EXPIRED,
    NOON,
    PAID,
    PENDING,
    REVIEWED,
    SUMMER,
    WINTER,
)

DUE = replace(SUMMER, draw_time_reached=True, not_selling_reason="over")
CALLED_OFF = replace(SUMMER, not_selling_reason="cancelled")
MONEY_BACK = "Ana, +1 555 0100 will check it and send your $15.00 back."
FLAGGED: Final[dict[str, Any]] = {"needs_decision": True, "has_receipt": True}


def list_tickets(*found: OrderFacts) -> str:
    return my_tickets.build_my_tickets_message(found, now=NOON).body


@pytest.mark.parametrize(
    ("order", "status"),
    [
        (
            replace(PAID, raffle=CALLED_OFF),
            "The raffle was called off. Ana, +1 555 0100 will send your $15.00 back.",
        ),
        (
            replace(CANCELLED, raffle=CALLED_OFF, **FLAGGED),
            f"The raffle was called off. You sent a receipt: {MONEY_BACK}",
        ),
        (
            replace(CANCELLED, raffle=CALLED_OFF, needs_decision=True),
            (
                "The raffle was called off. Ana, +1 555 0100 will check your payment and send your "
                "$15.00 back."
            ),
        ),
        (replace(DRAFT, raffle=CALLED_OFF), "The raffle was called off."),
        (replace(DRAFT, raffle=DUE), "The time of the draw has come, so it is over."),
        (replace(PENDING, raffle=DUE), "The time of the draw has come, so it is over."),
        (replace(REVIEWED, raffle=DUE), "Receipt received, being checked."),
        (
            replace(EXPIRED, raffle=DUE, **FLAGGED),
            f"The time of the draw has come, so it is over. You sent a receipt: {MONEY_BACK}",
        ),
        (replace(EXPIRED), "The time to pay ran out."),
        (
            replace(EXPIRED, **FLAGGED),
            (
                "The time to pay ran out. Your payment is not lost: Ana, +1 555 0100 will decide "
                "with you what to do."
            ),
        ),
    ],
)
def test_my_tickets_say_what_becomes_of_an_order(order: OrderFacts, status: str) -> None:
    assert list_tickets(order).splitlines()[-1] == status


@pytest.mark.parametrize("raffle", [DUE, CALLED_OFF], ids=["draw due", "called off"])
@pytest.mark.parametrize("order", [DRAFT, PENDING], ids=["hold", "unpaid"])
def test_an_order_of_a_raffle_that_is_over_cannot_be_confirmed_or_paid(
    order: OrderFacts, raffle: RaffleFacts
) -> None:
    over = replace(order, raffle=raffle)
    facts = sample_facts.build_facts(over, raffles=(SUMMER, WINTER))

    tickets = my_tickets.build_my_tickets_message([over], now=NOON)
    menu = screens.show_menu(facts).replies[0]
    shown = screens.show_order(over, Context(), facts, pay=True).replies[0]

    assert [button.title for button in tickets.buttons] == ["Buy more"]
    assert "Held" not in menu.body
    assert "waits for" not in menu.body
    assert "order R-7K3F9 is over" in shown.body
    assert "please pay" not in shown.body


def test_a_paid_order_of_a_raffle_that_was_called_off_is_not_shown_as_theirs() -> None:
    order = replace(PAID, raffle=CALLED_OFF)

    shown = screens.show_order(order, Context(), sample_facts.build_facts(order)).replies[0]
    refused = orders.build_cannot_cancel_message(order)
    added = orders.build_proof_added_message(order)

    for reply in (shown, refused, added):
        assert "called off" in reply.body
        assert "yours" not in reply.body
        assert "is paid" not in reply.body


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (replace(CANCELLED, raffle=CALLED_OFF), "*Summer Raffle* was called off"),
        (CANCELLED, "came for an order that was cancelled"),
        (replace(EXPIRED, raffle=DUE), "came too late for the draw of *Summer Raffle*"),
        (EXPIRED, "came after its time had run out"),
    ],
)
def test_a_refund_of_a_late_payment_says_truly_why(order: OrderFacts, why: str) -> None:
    body = order_updates.build_refund_noted_message(order, note="").body

    assert f"{why}, so you get your $15.00 back." in body
    assert ("run out" in body) == (order is EXPIRED)


@pytest.mark.parametrize(
    "order",
    [replace(CANCELLED, raffle=CALLED_OFF), replace(EXPIRED, raffle=DUE)],
    ids=["called off", "draw due"],
)
def test_a_payment_that_can_only_be_refunded_leaves_nothing_to_decide(order: OrderFacts) -> None:
    body = order_updates.build_late_payment_message(order).body

    assert "will send your $15.00 back" in body
    assert "decide" not in body
    assert "numbers are gone" not in body


@pytest.mark.parametrize("status", OrderStatus)
def test_the_end_of_a_called_off_order_is_never_its_time(status: OrderStatus) -> None:
    note = order_status.build_order_ended_note(replace(PENDING, status=status, raffle=CALLED_OFF))

    assert note == "*Summer Raffle* was called off: order R-7K3F9 is over."


def test_my_tickets_list_a_hundred_numbers() -> None:
    numbers = tuple(range(0, 1_000, 10))

    body = list_tickets(replace(PAID, numbers=numbers))

    assert all(f"{number:03d}" in body for number in numbers)
