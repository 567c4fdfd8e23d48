"""Tests of payment proofs: their orders, their effects and their files."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from django.core.files.storage import storages
from pytest_django import DjangoAssertNumQueries

from shared.core.enums import OrderStatus, ProofStatus, RaffleStatus, UnplacedReason
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.results import ProofKept, ProofLate, ProofOrphan, ProofRepeated, Settled
from shared.raffles.services.payment_decisions import payments
from shared.raffles.services.payment_proofs import proof_fetching, proof_queries
from shared.raffles.services.payment_proofs.proof_fetching import ProofFetchJob
from shared.raffles.services.proof_placement import proofs
from shared.raffles.services.ticket_numbers import inventory
from shared.whatsapp.models import WhatsAppContact
from tests import builders
from tests.builders import MINUTE, NOON, build_chat_actor
from tests.integration.raffles import order_states
from tests.integration.raffles.order_states import AFTER_THE_DEADLINE

pytestmark = pytest.mark.django_db

PICTURE = b"\xff\xd8\xff a picture"


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(numbers=20)


class TestReceive:
    def test_puts_a_placed_order_under_review_and_stops_its_clock(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)

        outcome = order_states.receive_proof(order, caption="paid!", media_sha256="ab" * 32)

        assert isinstance(outcome, ProofKept)
        assert outcome.first
        order = order_states.reload_order(order)
        assert (order.under_review_since, order.expires_at) == (NOON, None)
        proof = order.proofs.get()
        assert (proof.status, proof.fetch_at, proof.caption) == ("FETCHING", NOON, "paid!")
        assert (proof.contact_id, proof.late) == (order.contact_id, False)
        assert order_states.list_actions(order)[-1] == "PROOF_RECEIVED"

    @pytest.mark.parametrize(
        "make", [order_states.create_order_under_review, order_states.create_paid_order]
    )
    def test_adds_another_picture_without_changing_the_order(
        self, raffle: Raffle, make: Callable[[Raffle], Order]
    ) -> None:
        order = make(raffle)
        before = order_states.reload_order(order)

        outcome = order_states.receive_proof(order)

        assert isinstance(outcome, ProofKept)
        assert not outcome.first
        after = order_states.reload_order(order)
        assert (after.status, after.under_review_since) == (
            before.status,
            before.under_review_since,
        )
        assert order.proofs.count() == 2

    def test_places_a_hold_that_was_not_confirmed_yet(self, raffle: Raffle) -> None:
        order = order_states.create_held_order(raffle)

        outcome = order_states.receive_proof(order)

        assert isinstance(outcome, ProofKept)
        assert outcome.first
        assert order_states.reload_order(order).status == OrderStatus.PENDING_PAYMENT
        assert order_states.list_actions(order) == ["HELD", "PLACED", "PROOF_RECEIVED"]
        assert inventory.find_inventory_problems() == []

    def test_writes_nothing_when_the_same_message_comes_again(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)
        first = order_states.receive_proof(order, wa_message_id="wamid.same")
        before = order_states.list_actions(order)

        again = proofs.receive_proof(
            order_states.build_proof_source(wa_message_id="wamid.same"),
            order=order,
            contact_id=builders.create_contact().pk,
            by=build_chat_actor(),
            now=NOON,
        )

        assert again == ProofRepeated(first.proof)
        assert PaymentProof.objects.count() == 1
        assert order_states.list_actions(order) == before

    def test_keeps_a_proof_that_fits_no_order(self) -> None:
        contact = builders.create_contact()

        outcome = proofs.receive_proof(
            order_states.build_proof_source(),
            order=None,
            contact_id=contact.pk,
            by=build_chat_actor(),
            now=NOON,
        )

        assert isinstance(outcome, ProofOrphan)
        proof = PaymentProof.objects.get()
        assert (proof.order_id, proof.contact_id, proof.status) == (None, contact.pk, "FETCHING")


class TestReceiveWithoutOrder:
    def test_extends_the_clock_of_each_candidate_once_and_reviews_none(
        self, raffle: Raffle
    ) -> None:
        buyer = builders.create_contact()
        candidates = [
            order_states.create_placed_order(raffle, numbers=[1], contact=buyer),
            order_states.create_held_order(builders.create_raffle(), numbers=[2], contact=buyer),
        ]

        for _ in range(2):
            receive_without_order(candidates, contact_id=buyer.pk)

        for order in map(order_states.reload_order, candidates):
            assert not order.under_review
            assert order.expires_at == NOON + 60 * MINUTE
            assert order_states.list_actions(order).count("TIME_EXTENDED") == 1
        unplaced = PaymentProof.objects.filter(order=None)
        assert list(unplaced.values_list("unplaced_reason", flat=True)) == ["SEVERAL_ORDERS"] * 2
        assert inventory.find_inventory_problems() == []

    def test_forgets_the_reason_once_it_is_assigned(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)
        assert order.contact_id is not None
        kept = receive_without_order([order], contact_id=order.contact_id)

        proofs.assign_proofs([kept.proof], order=order, by=build_chat_actor(), now=NOON)

        proof = order.proofs.get()
        assert proof.unplaced_reason == ""
        assert order_states.reload_order(order).under_review


class TestReviewLimit:
    @pytest.mark.parametrize(
        "make",
        [
            order_states.create_held_order,
            order_states.create_placed_order,
            order_states.create_expired_order,
        ],
    )
    def test_keeps_a_proof_without_the_order_that_would_be_one_too_many(
        self, raffle: Raffle, make: Callable[..., Order]
    ) -> None:
        buyer = create_buyer_under_review(raffle, numbers=[11, 12])
        order = make(builders.create_raffle(), contact=buyer)
        before = order_states.reload_order(order)

        outcome = receive_with_limit(order, max_reviews=2)

        assert isinstance(outcome, ProofOrphan)
        assert outcome.reason is UnplacedReason.REVIEW_LIMIT
        after = order_states.reload_order(order)
        assert (after.status, after.under_review) == (before.status, False)
        assert PaymentProof.objects.latest("pk").unplaced_reason == "REVIEW_LIMIT"
        assert inventory.find_inventory_problems() == []

    def test_lets_the_last_one_through(self, raffle: Raffle) -> None:
        buyer = create_buyer_under_review(raffle, numbers=[11])
        order = order_states.create_placed_order(raffle, contact=buyer)

        assert isinstance(receive_with_limit(order, max_reviews=2), ProofKept)

    @pytest.mark.parametrize(
        "make", [order_states.create_order_under_review, order_states.create_paid_order]
    )
    def test_does_not_concern_proofs_that_begin_no_review(
        self, raffle: Raffle, make: Callable[..., Order]
    ) -> None:
        buyer = create_buyer_under_review(raffle, numbers=[11, 12])
        order = make(builders.create_raffle(), contact=buyer)

        assert isinstance(receive_with_limit(order, max_reviews=2), ProofKept)

    def test_counts_only_orders_of_the_same_buyer(self, raffle: Raffle) -> None:
        create_buyer_under_review(raffle, numbers=[11, 12])
        order = order_states.create_placed_order(raffle)

        assert isinstance(receive_with_limit(order, max_reviews=2), ProofKept)


class TestReceiveLate:
    def test_takes_the_numbers_back_when_all_are_free(self, raffle: Raffle) -> None:
        order = order_states.create_expired_order(raffle)

        outcome = order_states.receive_proof(order, arrived_at=AFTER_THE_DEADLINE + MINUTE)

        assert isinstance(outcome, ProofLate)
        assert outcome.taken_back
        order = order_states.reload_order(order)
        assert order.status == OrderStatus.PENDING_PAYMENT
        assert (order.under_review, order.expires_at, order.closed_at) == (True, None, None)
        assert order_states.list_ticket_statuses(raffle, 1, 2, 3) == ["RESERVED"] * 3
        assert order.proofs.get().late
        assert order_states.list_actions(order)[-2:] == ["PROOF_RECEIVED", "NUMBERS_TAKEN_BACK"]
        assert inventory.find_inventory_problems() == []

    def test_asks_for_a_decision_about_an_order_that_was_cancelled(self, raffle: Raffle) -> None:
        order = order_states.create_cancelled_order(raffle)

        outcome = order_states.receive_proof(order, arrived_at=AFTER_THE_DEADLINE + MINUTE)

        assert isinstance(outcome, ProofLate)
        assert not outcome.taken_back
        order = order_states.reload_order(order)
        assert (order.status, order.needs_decision) == (OrderStatus.CANCELLED, True)
        assert order_states.list_ticket_statuses(raffle, 1, 2, 3) == ["AVAILABLE"] * 3

    def test_asks_for_a_decision_when_a_number_is_gone(self, raffle: Raffle) -> None:
        order = order_states.create_expired_order(raffle)
        order_states.create_paid_order(raffle, numbers=[3])

        outcome = order_states.receive_proof(order, arrived_at=AFTER_THE_DEADLINE + MINUTE)

        assert isinstance(outcome, ProofLate)
        assert not outcome.taken_back
        order = order_states.reload_order(order)
        assert (order.status, order.needs_decision) == (OrderStatus.EXPIRED, True)
        assert order_states.list_ticket_statuses(raffle, 1, 2, 3) == [
            "AVAILABLE",
            "AVAILABLE",
            "SOLD",
        ]
        assert order_states.list_actions(order)[-2:] == ["PROOF_RECEIVED", "LATE_PAYMENT"]
        assert inventory.find_inventory_problems() == []

    def test_asks_for_a_decision_once(self, raffle: Raffle) -> None:
        order = order_states.create_expired_order(raffle)
        order_states.create_held_order(raffle, numbers=[3])

        order_states.receive_proof(order)
        order_states.receive_proof(order)

        assert order_states.list_actions(order).count("LATE_PAYMENT") == 1

    def test_takes_nothing_back_after_the_draw(self, raffle: Raffle) -> None:
        order = order_states.create_expired_order(raffle)
        order.raffle.status = RaffleStatus.DRAWN

        outcome = order_states.receive_proof(order)

        assert isinstance(outcome, ProofLate)
        assert not outcome.taken_back
        assert order_states.reload_order(order).needs_decision

    def test_takes_the_numbers_back_of_one_sent_in_time_that_expired_meanwhile(
        self, raffle: Raffle
    ) -> None:
        order = order_states.create_expired_order(raffle)

        outcome = order_states.receive_proof(order, arrived_at=NOON + 29 * MINUTE)

        assert isinstance(outcome, ProofLate)
        assert outcome.taken_back
        assert not outcome.proof.late

    def test_can_be_confirmed_afterwards(self, raffle: Raffle) -> None:
        order = order_states.create_expired_order(raffle)
        order_states.receive_proof(order)

        outcome = payments.confirm_payment(order, by=builders.build_staff_actor(), now=NOON)

        assert outcome == Settled(order, late=False)
        assert inventory.find_inventory_problems() == []


class TestFetching:
    def test_lists_what_is_due_longest_first(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)
        second = order_states.receive_proof(order, media_id="m2", media_sha256="cd" * 32).proof
        first = order_states.receive_proof(order, media_id="m1").proof
        later = order_states.receive_proof(order).proof
        set_fetch_time(first, NOON - MINUTE)
        set_fetch_time(later, NOON + MINUTE)

        due = proof_fetching.list_proofs_to_fetch(now=NOON, limit=10)

        number_id = builders.PHONE_NUMBER_ID
        assert due == [
            ProofFetchJob(first.pk, number_id, "m1", "", 0, first.arrived_at),
            ProofFetchJob(second.pk, number_id, "m2", "cd" * 32, 0, second.arrived_at),
        ]
        assert proof_fetching.list_proofs_to_fetch(now=NOON, limit=1) == due[:1]

    def test_lets_one_of_two_gateways_have_a_file(self, raffle: Raffle) -> None:
        proof = order_states.receive_proof(order_states.create_placed_order(raffle)).proof
        soon = NOON + MINUTE

        claims = [
            proof_fetching.claim_proof_fetch(proof.pk, now=NOON, retry_at=soon) for _ in range(2)
        ]

        assert claims == [True, False]
        assert proof_fetching.list_proofs_to_fetch(now=NOON, limit=10) == []
        assert [
            job.attempts for job in proof_fetching.list_proofs_to_fetch(now=soon, limit=10)
        ] == [1]

    def test_tries_again_later_or_never(self, raffle: Raffle) -> None:
        proof = order_states.receive_proof(order_states.create_placed_order(raffle)).proof

        retried = proof_fetching.record_fetch_failure(
            proof.pk, error="slow", retry_at=NOON + MINUTE, now=NOON
        )
        assert (retried.status, retried.fetch_at) == (ProofStatus.FETCHING, NOON + MINUTE)

        failed = proof_fetching.record_fetch_failure(
            proof.pk, error="x" * 500, retry_at=None, now=NOON
        )
        assert (failed.status, failed.fetch_at, len(failed.fetch_error)) == ("FAILED", None, 200)
        assert proof_fetching.list_proofs_to_fetch(now=NOON + timedelta(days=9), limit=10) == []
        assert not proof_fetching.claim_proof_fetch(
            proof.pk, now=NOON + MINUTE, retry_at=NOON + MINUTE
        )


class TestKeepFile:
    def test_stores_the_bytes_under_the_alias_of_proofs(self, raffle: Raffle) -> None:
        proof = order_states.receive_proof(order_states.create_placed_order(raffle)).proof

        keep_file(proof, content=PICTURE)

        kept = PaymentProof.objects.get(pk=proof.pk)
        assert (kept.status, kept.size, kept.content_type) == ("KEPT", len(PICTURE), "image/jpeg")
        assert kept.sha256 == hashlib.sha256(PICTURE).hexdigest()
        assert kept.fetch_at is None
        assert read_content(kept) == PICTURE
        assert str(kept.file.name).endswith(".jpg")

    def test_does_nothing_the_second_time(self, raffle: Raffle) -> None:
        proof = order_states.receive_proof(order_states.create_placed_order(raffle)).proof
        before = keep_file(proof, content=PICTURE).file.name

        keep_file(proof, content=b"something else")
        proof_fetching.record_fetch_failure(proof.pk, error="late", retry_at=None, now=NOON)

        kept = PaymentProof.objects.get(pk=proof.pk)
        assert (kept.status, kept.file.name) == (ProofStatus.KEPT, before)
        assert read_content(kept) == PICTURE

    def test_is_possible_after_the_fetch_was_given_up(self, raffle: Raffle) -> None:
        proof = order_states.receive_proof(order_states.create_placed_order(raffle)).proof
        proof_fetching.record_fetch_failure(proof.pk, error="gone", retry_at=None, now=NOON)

        keep_file(proof, content=PICTURE)

        kept = PaymentProof.objects.get(pk=proof.pk)
        assert (kept.status, kept.fetch_error) == (ProofStatus.KEPT, "")


class TestSameBytes:
    def test_finds_the_file_with_another_order(self, raffle: Raffle) -> None:
        one = keep_file(
            order_states.receive_proof(order_states.create_placed_order(raffle, numbers=[1])).proof,
            content=PICTURE,
        )
        order = order_states.create_placed_order(raffle, numbers=[2])
        two = keep_file(order_states.receive_proof(order).proof, content=PICTURE)
        keep_file(order_states.receive_proof(order).proof, content=PICTURE)
        keep_file(order_states.receive_proof(order).proof, content=b"another")

        assert proof_queries.find_identical_proofs(two) == [one]

    def test_finds_nothing_for_a_file_that_is_not_there_yet(self, raffle: Raffle) -> None:
        order_states.receive_proof(order_states.create_placed_order(raffle, numbers=[1]))
        proof = order_states.receive_proof(
            order_states.create_placed_order(raffle, numbers=[2])
        ).proof

        assert proof_queries.find_identical_proofs(proof) == []

    def test_finds_the_files_of_several_proofs_in_one_query(
        self, raffle: Raffle, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        one, two, three = (
            keep_file(
                order_states.receive_proof(
                    order_states.create_placed_order(raffle, numbers=[number])
                ).proof,
                content=PICTURE,
            )
            for number in (1, 2, 3)
        )
        missing = order_states.receive_proof(
            order_states.create_placed_order(raffle, numbers=[4])
        ).proof

        with django_assert_num_queries(1):
            found = proof_queries.find_identical_proofs_by_id([two, three, missing], limit=10)

        assert found == {two.pk: [one, three], three.pk: [one, two], missing.pk: []}

    def test_asks_nothing_about_proofs_without_a_file(
        self, raffle: Raffle, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        proof = order_states.receive_proof(
            order_states.create_placed_order(raffle, numbers=[1])
        ).proof

        with django_assert_num_queries(0):
            assert proof_queries.find_identical_proofs_by_id([proof], limit=10) == {proof.pk: []}


def receive_without_order(candidates: Sequence[Order], *, contact_id: int) -> ProofOrphan:
    outcome = proofs.receive_proof(
        order_states.build_proof_source(),
        order=None,
        contact_id=contact_id,
        by=build_chat_actor(),
        now=NOON,
        candidates=candidates,
        unplaced_reason=UnplacedReason.SEVERAL_ORDERS,
    )
    assert isinstance(outcome, ProofOrphan)
    return outcome


def create_buyer_under_review(raffle: Raffle, *, numbers: Sequence[int]) -> WhatsAppContact:
    """Create a buyer with an order under review for each of the ticket numbers."""
    buyer = builders.create_contact()
    for number in numbers:
        order_states.create_order_under_review(raffle, numbers=[number], contact=buyer)
    return buyer


def receive_with_limit(order: Order, *, max_reviews: int) -> object:
    assert order.contact_id is not None
    return proofs.receive_proof(
        order_states.build_proof_source(),
        order=order,
        contact_id=order.contact_id,
        by=build_chat_actor(),
        now=NOON,
        max_reviews=max_reviews,
    )


def keep_file(proof: PaymentProof, *, content: bytes) -> PaymentProof:
    return proof_fetching.store_proof_file(
        proof.pk, content=content, content_type="image/jpeg", extension="jpg", now=NOON
    )


def read_content(proof: PaymentProof) -> bytes:
    with storages["proofs"].open(str(proof.file.name)) as file:
        content: bytes = file.read()
    return content


def set_fetch_time(proof: PaymentProof, moment: object) -> None:
    PaymentProof.objects.filter(pk=proof.pk).update(fetch_at=moment)
