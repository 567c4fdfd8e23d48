"""Tests of receipts that pay several orders: one file, and a row for each order."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from shared.core.enums import OrderStatus, ProofStatus, RejectReason, Verdict
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.proof_errors import ProofRowExists
from shared.raffles.results import ProofKept
from shared.raffles.services.payment_decisions import payments, proof_rejections
from shared.raffles.services.payment_proofs import (
    proof_fetching,
    proof_queries,
    similar_proofs,
)
from shared.raffles.services.proof_placement import proof_sharing
from shared.raffles.services.ticket_numbers import inventory
from tests import builders
from tests.builders import MINUTE, NOON
from tests.integration.raffles import order_states

pytestmark = pytest.mark.django_db

PICTURE = b"\xff\xd8\xff a picture"
BITS = "0f" * 32


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(numbers=20)


@pytest.fixture
def first(raffle: Raffle) -> Order:
    return order_states.create_order_under_review(raffle, numbers=[1, 2])


@pytest.fixture
def second(raffle: Raffle, first: Order) -> Order:
    return order_states.create_placed_order(raffle, numbers=[7])


def share(order: Order, *, with_order: Order) -> PaymentProof:
    outcome = proof_sharing.share_proof(
        order.proofs.get(), order=with_order, by=builders.build_chat_actor(), now=NOON
    )
    return outcome.proof


def store(proof: PaymentProof) -> PaymentProof:
    return proof_fetching.store_proof_file(
        proof.pk,
        content=PICTURE,
        content_type="image/jpeg",
        extension="jpg",
        now=NOON,
        fingerprint=BITS,
    )


class TestShareProof:
    def test_puts_the_other_order_under_review_with_a_row_of_its_own(
        self, first: Order, second: Order
    ) -> None:
        outcome = proof_sharing.share_proof(
            first.proofs.get(), order=second, by=builders.build_chat_actor(), now=NOON
        )

        assert isinstance(outcome, ProofKept)
        assert outcome.first
        original, row = first.proofs.get(), second.proofs.get()
        assert row.shared_from_id == original.pk
        assert (row.wa_message_id, row.arrived_at, row.contact_id, row.caption) == (
            original.wa_message_id,
            original.arrived_at,
            original.contact_id,
            original.caption,
        )
        assert order_states.reload_order(second).under_review_since == NOON
        assert order_states.list_actions(second)[-1] == "PROOF_RECEIVED"
        assert inventory.find_inventory_problems() == []

    def test_fetches_the_file_once_and_shows_it_in_both_orders(
        self, first: Order, second: Order
    ) -> None:
        row = share(first, with_order=second)
        later = NOON + timedelta(hours=1)
        jobs = proof_fetching.list_proofs_to_fetch(now=later, limit=10)
        assert [job.proof_id for job in jobs] == [first.proofs.get().pk]

        original = store(first.proofs.get())

        row.refresh_from_db()
        assert row.status == ProofStatus.KEPT
        assert row.file.name == original.file.name
        with row.file.open("rb") as file:
            assert file.read() == PICTURE
        assert (row.sha256, row.size, row.content_type) == (
            original.sha256,
            len(PICTURE),
            "image/jpeg",
        )
        assert row.fingerprint.bits == original.fingerprint.bits
        assert list(similar_proofs.store_missing_fingerprints()) == []

    def test_copies_a_file_that_was_stored_before(self, first: Order, second: Order) -> None:
        original = store(first.proofs.get())

        row = share(first, with_order=second)

        assert (row.status, row.sha256) == (ProofStatus.KEPT, original.sha256)
        assert bytes(row.fingerprint.bits).hex() == BITS

    def test_follows_a_file_that_cannot_be_fetched(self, first: Order, second: Order) -> None:
        row = share(first, with_order=second)

        proof_fetching.record_fetch_failure(
            first.proofs.get().pk, error="gone", retry_at=None, now=NOON
        )

        row.refresh_from_db()
        assert (row.status, row.fetch_error, row.fetch_at) == (ProofStatus.FAILED, "gone", None)

    def test_each_row_is_decided_by_itself(self, first: Order, second: Order) -> None:
        row = share(first, with_order=second)
        store(first.proofs.get())

        payments.confirm_payment(
            order_states.reload_order(first), by=builders.build_staff_actor(), now=NOON
        )
        row.refresh_from_db()
        assert row.verdict == Verdict.PENDING
        proof_rejections.reject_proofs(
            order_states.reload_order(second),
            reason=RejectReason.WRONG_AMOUNT,
            note="",
            by=builders.build_staff_actor(),
            now=NOON + MINUTE,
        )

        assert first.proofs.get().verdict == Verdict.ACCEPTED
        row.refresh_from_db()
        assert row.verdict == Verdict.REJECTED
        assert order_states.reload_order(first).status == OrderStatus.PAID
        assert inventory.find_inventory_problems() == []

    def test_a_third_row_is_made_from_the_first(
        self, raffle: Raffle, first: Order, second: Order
    ) -> None:
        row = share(first, with_order=second)
        third = order_states.create_placed_order(raffle, numbers=[9])

        outcome = proof_sharing.share_proof(
            row, order=third, by=builders.build_chat_actor(), now=NOON
        )

        assert outcome.proof.shared_from_id == first.proofs.get().pk

    def test_refuses_an_order_that_has_the_receipt_already(
        self, first: Order, second: Order
    ) -> None:
        row = share(first, with_order=second)

        for order in (first, second):
            with pytest.raises(ProofRowExists):
                proof_sharing.share_proof(
                    row, order=order, by=builders.build_chat_actor(), now=NOON
                )

        assert PaymentProof.objects.count() == 2

    def test_the_database_refuses_a_second_row_of_an_order(
        self, first: Order, second: Order
    ) -> None:
        row = share(first, with_order=second)
        row.pk = None

        with pytest.raises(IntegrityError), transaction.atomic():
            row.save(force_insert=True)


class TestIdenticalProofs:
    def test_the_rows_of_one_receipt_are_no_duplicates_of_each_other(
        self, first: Order, second: Order
    ) -> None:
        row = share(first, with_order=second)
        original = store(first.proofs.get())
        row.refresh_from_db()

        found = proof_queries.find_identical_proofs_by_id([original, row], limit=10)
        assert found == {original.pk: [], row.pk: []}
        assert proof_queries.find_identical_proofs(original) == []
        shared = proof_queries.find_shared_rows([original, row])
        assert shared == {original.pk: [row], row.pk: [original]}

    def test_another_receipt_with_the_same_bytes_is_a_duplicate_of_both(
        self, raffle: Raffle, first: Order, second: Order
    ) -> None:
        row = share(first, with_order=second)
        original = store(first.proofs.get())
        row.refresh_from_db()
        third = order_states.create_order_under_review(raffle, numbers=[9])
        copy = store(third.proofs.get())

        assert proof_queries.find_identical_proofs(copy) == [original, row]
        assert proof_queries.find_identical_proofs(row) == [copy]
        assert proof_queries.find_shared_rows([copy]) == {copy.pk: []}
