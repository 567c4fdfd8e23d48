"""Tests of the messages that buyers get after a decision: recipient, content and limits."""

from dataclasses import replace

import pytest

from shared.conversation.texts import order_updates, orders, raffles
from shared.conversation.values import OrderFacts, Reply
from tests.unit.conversation import sample_facts
from tests.unit.conversation.sample_facts import EXPIRED, PAID, REVIEWED

ONE = replace(REVIEWED, numbers=(7,))


@pytest.mark.parametrize(
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
            ["could not put it to an order."],
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
            orders.build_under_review_message(self.ASKED).body,
            orders.build_my_tickets_message([self.ASKED], now=sample_facts.NOON).body,
            raffles.build_reminders_note([self.ASKED], now=sample_facts.NOON),
        ]

        assert [body for body in shown if "one more photo" not in body.lower()] == []

    def test_makes_the_order_want_a_proof_but_no_payment(self) -> None:
        facts = sample_facts.build_facts(REVIEWED, self.ASKED)

        assert (facts.orders_wanting_payment, facts.orders_wanting_proof) == ((), (self.ASKED,))
