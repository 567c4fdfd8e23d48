"""Tests of the messages that buyers get after a decision: recipient, content and limits."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.conversation.facts.values import OrderFacts
from shared.conversation.texts import (
    my_tickets,
    order_status,
    order_updates,
    orders,
    raffle_updates,
    raffles,
)
from shared.conversation.values import Reply
from shared.core.enums import OrderStatus, RejectReason
from tests.cases import walk_cases
from tests.unit.conversation import sample_facts
from tests.unit.conversation.sample_facts import (
    CANCELLED,
    EXPIRED,
    NOON,
    PAID,
    PENDING,
    REVIEWED,
    SUMMER,
)

ONE = replace(REVIEWED, numbers=(7,))
SOLD_OUT_RAFFLE = replace(SUMMER, draw_at=None, draw_when_sold_out=True)
DRAWN_RAFFLE = replace(SUMMER, draw_time_reached=True, not_selling_reason="over")
CALLED_OFF_RAFFLE = replace(SUMMER, not_selling_reason="cancelled")


@walk_cases(
    ("reply", "said"),
    [
        (
            order_updates.build_asked_again_message(REVIEWED, note="Cut off."),
            ["R-7K3F9", "$15.00", "\nCut off.\n"],
        ),
        (
            order_updates.build_asked_again_message(ONE, note=" "),
            ["?\nYour number *007* stays yours meanwhile."],
        ),
        (
            order_updates.build_proof_attached_message(REVIEWED),
            ["R-7K3F9", "*007 · 213 · 845* stay yours"],
        ),
        (
            order_updates.build_order_made_message(REVIEWED),
            ["R-7K3F9", "Summer Raffle", "$15.00", "007 · 213 · 845"],
        ),
        (
            order_updates.build_proof_dismissed_message("", note=""),
            ["could not match it to an order."],
        ),
        (
            order_updates.build_proof_dismissed_message("Ana", note="A cat"),
            ["an order: A cat Questions? Ana."],
        ),
        (
            order_updates.build_numbers_replaced_message(PAID, old=[1, 7, 213]),
            ["(001 · 007 · 213) came late and some", "*007 · 213 · 845* are yours now. Draw: Sat"],
        ),
        (
            order_updates.build_numbers_replaced_message(replace(PAID, numbers=(8,)), old=[7]),
            ["(007) came late and it was taken", "*008* is yours now."],
        ),
        (
            order_updates.build_numbers_replaced_message(PAID, old=PAID.numbers),
            ["Paid. *007 · 213 · 845* are yours."],
        ),
        (
            order_updates.build_paid_message(PAID),
            [
                "Paid. *007 · 213 · 845* are yours.\n",
                "*Summer Raffle* · order R-7K3F9 · $15.00\n",
                "Draw: Sat 12 Dec, 20:00. Good luck!\n",
                "Questions? Ana, +1 555 0100.",
            ],
        ),
        (
            order_updates.build_paid_message(replace(PAID, raffle=SOLD_OUT_RAFFLE)),
            ["Draw: when all numbers are sold. Good luck!"],
        ),
        (
            order_updates.build_unconfirmed_message(REVIEWED),
            ["*R-7K3F9*", "checking the payment once more", "*007 · 213 · 845* stay yours"],
        ),
        (
            order_updates.build_refunded_message(CANCELLED, note="By bank"),
            ["$15.00", "R-7K3F9", "back. By bank. The order is over", "not yours any more", "Ana"],
        ),
        (
            order_updates.build_rejected_message(
                replace(EXPIRED, raffle=DRAWN_RAFFLE),
                reason=RejectReason.ILLEGIBLE,
                note="",
                now=NOON,
            ),
            ["cannot read the receipt. The time of the draw has come", "Ana"],
        ),
        (
            order_updates.build_expired_message(replace(EXPIRED, raffle=DRAWN_RAFFLE)),
            ["The time of the draw has come", "Please write to Ana"],
        ),
        (
            order_updates.build_cancelled_by_seller_message(
                replace(CANCELLED, has_receipt=True), reason="Closed."
            ),
            ["Reason: Closed. You sent a receipt: Ana", "will check it and send your $15.00 back."],
        ),
        (
            order_updates.build_cancelled_by_seller_message(CANCELLED, reason=""),
            ["free again. Questions? Ana"],
        ),
        (
            orders.build_cancelled_message(replace(CANCELLED, has_receipt=True)),
            ["free again. You sent a receipt: Ana", "will check it and send your $15.00 back."],
        ),
        (orders.build_cancelled_message(CANCELLED), ["free again and nothing is owed."]),
        (
            order_updates.build_late_payment_message(CANCELLED),
            ["for an order that was cancelled", "Ana"],
        ),
        (order_updates.build_late_payment_message(EXPIRED), ["its time had run out", "Ana"]),
        (
            orders.build_late_proof_message(CANCELLED, secured=False),
            ["Order *R-7K3F9* was cancelled", "Ana"],
        ),
        (
            orders.build_late_proof_message(
                replace(EXPIRED, raffle=DRAWN_RAFFLE, has_receipt=True), secured=False
            ),
            ["R-7K3F9", "after the time of the draw", "Sat 12 Dec, 20:00", "$15.00 back"],
        ),
        (
            orders.build_late_proof_message(
                replace(CANCELLED, raffle=CALLED_OFF_RAFFLE, has_receipt=True), secured=False
            ),
            ["was called off", "You sent a receipt: Ana", "$15.00 back"],
        ),
        (
            order_updates.build_refund_noted_message(EXPIRED, note="By bank."),
            ["R-7K3F9", "$15.00 back. By bank.", "Ana"],
        ),
        (
            order_updates.build_refund_noted_message(EXPIRED, note=""),
            ["your $15.00 back.\nQuestions?"],
        ),
    ],
)
def test_says_what_matters(reply: Reply, said: list[str]) -> None:
    assert [part for part in said if part not in reply.body] == []


@pytest.mark.parametrize(
    "reply",
    [
        order_updates.build_asked_again_message(
            sample_facts.build_order(numbers=tuple(range(100))), note="x" * 500
        ),
        order_updates.build_proof_dismissed_message("Ana, +1 555 0100", note="x" * 500),
        order_updates.build_refund_noted_message(EXPIRED, note="x" * 500),
    ],
)
def test_a_long_note_loses_nothing(reply: Reply) -> None:
    assert len(reply.body) <= (1024 if reply.buttons else 4096)
    assert reply.to_whatsapp_message()


class TestABetterProof:
    ASKED: OrderFacts = replace(REVIEWED, asked_again=True)

    def test_is_named_wherever_the_order_is(self) -> None:
        shown = [
            order_status.build_under_review_message(self.ASKED).body,
            my_tickets.build_my_tickets_message([self.ASKED], now=sample_facts.NOON).body,
            raffles.build_reminders_note([self.ASKED], now=sample_facts.NOON),
        ]

        assert [body for body in shown if "one more photo" not in body.lower()] == []

    def test_makes_the_order_want_a_proof_but_no_payment(self) -> None:
        facts = sample_facts.build_facts(REVIEWED, self.ASKED)

        assert (facts.orders_wanting_payment, facts.orders_wanting_receipt) == ((), (self.ASKED,))


class TestMovedDraw:
    MOVED: OrderFacts = replace(
        PENDING, raffle=replace(SUMMER, time_zone="America/Bogota", draw_at=NOON)
    )

    def test_names_both_dates_in_the_time_zone_of_the_raffle(self) -> None:
        before = NOON - timedelta(days=1)

        body = raffle_updates.build_draw_moved_message(
            self.MOVED, before=before, note="Too few sold"
        ).body

        assert body.startswith(
            "The draw of *Summer Raffle* was moved to *Sun 22 Nov, 07:00*. "
            "Until now it was Sat 21 Nov, 07:00. Reason: Too few sold.\n"
        )
        assert "*007 · 213 · 845* (order R-7K3F9)" in body

    def test_names_the_year_when_it_is_another_one(self) -> None:
        body = raffle_updates.build_draw_moved_message(
            self.MOVED, before=NOON + timedelta(days=365), note=""
        ).body

        assert "Sun 22 Nov 2026, 07:00" in body
        assert "Mon 22 Nov 2027, 07:00" in body

    def test_says_when_there_was_no_date_and_when_there_is_none_any_more(self) -> None:
        sold_out = replace(PENDING, raffle=SOLD_OUT_RAFFLE)

        first = raffle_updates.build_draw_moved_message(self.MOVED, before=None, note="").body
        none_left = raffle_updates.build_draw_moved_message(sold_out, before=NOON, note="").body

        assert "has a date now: *Sun 22 Nov, 07:00*." in first
        assert "drawn when all numbers are sold now. It was planned for Sun 22 Nov" in none_left


class TestCalledOff:
    @pytest.mark.parametrize(
        ("order", "said"),
        [
            (PAID, "Ana, +1 555 0100 will send your $15.00 back."),
            (replace(REVIEWED, has_receipt=True), "will check it and send your $15.00 back."),
            (PENDING, "You owe nothing."),
        ],
    )
    def test_says_what_becomes_of_the_money(self, order: OrderFacts, said: str) -> None:
        body = raffle_updates.build_called_off_message(order, note="No licence").body

        assert "*Summer Raffle* was called off" in body
        assert "Reason: No licence." in body
        assert said in body


@pytest.mark.parametrize("status", OrderStatus)
@pytest.mark.parametrize("has_receipt", [True, False])
def test_nothing_about_a_free_order_speaks_of_money(status: OrderStatus, has_receipt: bool) -> None:
    free = replace(
        PAID,
        status=status,
        total=Decimal(0),
        has_receipt=has_receipt,
        raffle=replace(SUMMER, price=Decimal(0)),
    )

    said = [
        order_updates.build_paid_message(free),
        order_updates.build_unconfirmed_message(free),
        order_updates.build_refunded_message(free, note=""),
        order_updates.build_cancelled_by_seller_message(free, reason=""),
        orders.build_cancelled_message(free),
        raffle_updates.build_called_off_message(free, note=""),
        raffle_updates.build_draw_moved_message(free, before=None, note=""),
    ]

    words = ("$", "0.00", "pay", "paid", "money", "owe", "receipt", "refund")
    assert [r.body for r in said if any(word in r.body.lower() for word in words)] == []
