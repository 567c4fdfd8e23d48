"""Facts about a buyer, gathered from the database."""

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shared.conversation.facts import gathering, statements
from shared.conversation.facts.values import Facts
from shared.core.enums import OrderStatus, ProofStatus, RaffleStatus, TicketStatus, Verdict
from shared.raffles.models import PaymentProof, Raffle, TicketNumber
from shared.raffles.services import availability
from shared.whatsapp.models import WhatsAppContact
from tests import builders
from tests.builders import MINUTE, NOON

pytestmark = pytest.mark.django_db


def gather_facts(buyer: WhatsAppContact) -> Facts:
    question = gathering.FactsQuestion(buyer, pivot=0)
    [facts] = gathering.gather_facts_of_buyers([question], now=NOON)
    return facts


class TestReceipts:
    @pytest.mark.parametrize("verdict", Verdict)
    @pytest.mark.parametrize("status", ProofStatus)
    def test_count_unless_they_were_lost_or_turned_down(
        self, status: ProofStatus, verdict: Verdict
    ) -> None:
        order = builders.create_order_row(builders.create_raffle(with_numbers=False))
        PaymentProof.objects.create(order=order, status=status, verdict=verdict, arrived_at=NOON)

        known = gathering.gather_order_facts(order, now=NOON)

        counts = status is not ProofStatus.FAILED and verdict in {
            Verdict.PENDING,
            Verdict.ACCEPTED,
        }
        assert known.has_receipt == counts

    def test_are_found_with_one_query_however_many_orders_there_are(self) -> None:
        buyer = builders.create_contact()
        raffle = builders.create_raffle(with_numbers=False)
        orders = [
            builders.create_order_row(
                raffle, contact=buyer, status=OrderStatus.PAID, expires_at=None
            )
            for _ in range(5)
        ]
        PaymentProof.objects.create(order=orders[3], arrived_at=NOON)

        with CaptureQueriesContext(connection) as queries:
            known = gather_facts(buyer)

        asked = [query for query in queries if "raffles_paymentproof" in query["sql"]]
        assert len(asked) == 1
        assert [order.has_receipt for order in known.orders] == [False, False, False, True, False]


class TestOrders:
    def test_paid_ones_are_known_however_many_ended_later(self) -> None:
        buyer = builders.create_contact()
        raffle = builders.create_raffle(with_numbers=False)
        paid = [
            builders.create_order_row(
                raffle, contact=buyer, status=OrderStatus.PAID, expires_at=None
            )
            for _ in range(12)
        ]
        ended = [
            builders.create_order_row(raffle, contact=buyer, status=status, expires_at=None)
            for status in (OrderStatus.CANCELLED, OrderStatus.EXPIRED)
            for _ in range(10)
        ]

        known = gather_facts(buyer)

        expected = [*paid, *ended[-statements.MAX_ENDED_ORDERS :]]
        assert [order.id for order in known.orders] == [order.pk for order in expected]

    def test_show_their_entry_and_its_head_without_another_statement(self) -> None:
        buyer = builders.create_contact()
        raffle = builders.create_raffle(with_numbers=False)
        counts = []
        entries: list[dict[str, Any]] = [{}, {"receipt_entry": 57, "receipt_head": "9f3a12c8"}]
        for entry in entries:
            builders.create_order_row(
                raffle, contact=buyer, status=OrderStatus.PAID, expires_at=None, **entry
            )
            with CaptureQueriesContext(connection) as queries:
                known = gather_facts(buyer)
            counts.append(len(queries))

        assert [(each.receipt_entry, each.receipt_head) for each in known.orders] == [
            (None, ""),
            (57, "9f3a12c8"),
        ]
        assert counts[0] == counts[1]


class TestDeadlines:
    @pytest.mark.parametrize(
        ("expires_at", "draw_at", "shown"),
        [
            (NOON + 30 * MINUTE, NOON + 20 * MINUTE, NOON + 20 * MINUTE),
            (NOON + 30 * MINUTE, NOON + 40 * MINUTE, NOON + 30 * MINUTE),
            (NOON + 30 * MINUTE, None, NOON + 30 * MINUTE),
            (None, NOON + 20 * MINUTE, None),
        ],
    )
    def test_are_never_after_the_draw(
        self, expires_at: datetime | None, draw_at: datetime | None, shown: datetime | None
    ) -> None:
        raffle = builders.create_raffle(with_numbers=False, draw_at=draw_at)
        status = OrderStatus.PENDING_PAYMENT if expires_at else OrderStatus.PAID
        order = builders.create_order_row(raffle, status=status, expires_at=expires_at)

        known = gathering.gather_order_facts(order, now=NOON)

        assert known.expires_at == shown


class TestTerms:
    def test_are_those_of_the_raffle(self) -> None:
        raffle = builders.create_raffle(
            with_numbers=False, hold_minutes=90, promoter="Club", permit_number="ABC-123"
        )

        known = gathering.build_raffle_facts([raffle], now=NOON)[raffle.pk]

        assert (known.hold_minutes, known.promoter, known.permit_number) == (90, "Club", "ABC-123")


class TestDraw:
    @pytest.mark.parametrize(
        ("fields", "reached"),
        [
            ({"draw_at": NOON}, True),
            ({"draw_at": NOON + MINUTE}, False),
            ({"draw_at": None}, False),
            ({"draw_at": None, "status": RaffleStatus.DRAWN}, True),
            ({"draw_at": NOON, "status": RaffleStatus.PAUSED}, True),
        ],
    )
    def test_is_reached_at_its_time_or_by_the_status(
        self, fields: dict[str, Any], reached: bool
    ) -> None:
        raffle = builders.create_raffle(with_numbers=False, **fields)

        known = gathering.gather_order_facts(builders.create_order_row(raffle), now=NOON)

        assert known.raffle.draw_time_reached == reached


class TestManyBuyers:
    def test_get_the_same_facts_together_as_alone_with_as_many_statements(self) -> None:
        raffles = [
            builders.create_raffle(numbers=7, max_per_contact=5),
            builders.create_raffle(title="Elsewhere", phone_number_id="1"),
            builders.create_raffle(title="Over", draw_at=NOON + MINUTE),
            builders.create_raffle(title="Draft", status=RaffleStatus.DRAFT),
        ]
        numbers = ["1", builders.PHONE_NUMBER_ID, builders.PHONE_NUMBER_ID]
        buyers = [builders.create_contact(phone_number_id=number) for number in numbers]
        buyers[0].context = {"raffle_id": raffles[1].pk}
        for place, buyer in enumerate(buyers):
            for raffle, status in zip(raffles[: place + 2], OrderStatus, strict=False):
                order = builders.create_order_row(
                    raffle, contact=buyer, status=status, code=f"R-{place}{raffle.pk}"
                )
                PaymentProof.objects.create(order=order, contact=buyer, arrived_at=NOON)
            PaymentProof.objects.create(contact=buyer, arrived_at=NOON)
        old = builders.create_order_row(
            raffles[0], contact=buyers[1], status=OrderStatus.EXPIRED, code="R-OLD"
        )
        for _ in range(statements.MAX_ENDED_ORDERS):
            builders.create_order_row(
                raffles[2], contact=buyers[1], status=OrderStatus.CANCELLED, expires_at=None
            )
        questions = [
            gathering.FactsQuestion(buyers[0], pivot=1_999_999_999, codes=(f"R-0{raffles[0].pk}",)),
            gathering.FactsQuestion(
                buyers[1], pivot=50_000, codes=("R-OLD", f"R-0{raffles[0].pk}")
            ),
            gathering.FactsQuestion(buyers[2], pivot=20_000, order_ids=(old.pk,)),
        ]

        with CaptureQueriesContext(connection) as queries:
            together = gathering.gather_facts_of_buyers(questions, now=NOON)
        with CaptureQueriesContext(connection) as queries_of_one:
            gathering.gather_facts_of_buyers(questions[1:2], now=NOON)

        assert together == [
            gathering.gather_facts_of_buyers([question], now=NOON)[0] for question in questions
        ]
        assert [len(known.orders) for known in together] == [2, 14, 4]
        assert [known.unplaced_proof_id is None for known in together] == [False, False, True]
        assert old.pk in {order.id for order in together[1].orders}
        assert [[raffle.remaining_for_buyer for raffle in known.raffles] for known in together] == [
            [5, None],
            [5],
            [5],
        ]
        assert len(queries) == len(queries_of_one)

    def test_see_free_numbers_from_their_own_points_on(self) -> None:
        raffles = [builders.create_raffle(numbers=count) for count in (40, 6, 2)]
        held = TicketNumber.objects.filter(raffle=raffles[0], number__lte=10)
        held.update(status=TicketStatus.RESERVED)
        places = [(raffle.pk, pivot) for raffle in raffles for pivot in (0, 24_000, 300_000, 2**31)]

        found = availability.pick_free_examples_at(places, limit=5)

        assert found == [
            tuple(availability.pick_free_examples(Raffle(pk=raffle_id), pivot=pivot, limit=5))
            for raffle_id, pivot in places
        ]
        assert availability.pick_free_examples_at([], limit=5) == []
