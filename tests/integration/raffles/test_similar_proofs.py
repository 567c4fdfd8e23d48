"""Tests of finding similar pictures among the proofs of other orders."""

from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import DjangoAssertNumQueries, Settings

from shared.raffles import fingerprints
from shared.raffles.models import FingerprintBand, PaymentProof, PictureFingerprint, Raffle
from shared.raffles.services.payment_proofs import proof_fetching, similar_proofs
from tests import builders
from tests.builders import NOON
from tests.integration.raffles import order_states
from tests.receipts import COPY_METHODS, draw_receipt, encode_jpeg

pytestmark = pytest.mark.django_db

RECEIPT = encode_jpeg(draw_receipt())
COPY = COPY_METHODS["halved"](draw_receipt())
OTHER = encode_jpeg(
    draw_receipt(
        amount="$25.00", reference="R-9QXW2", at="3 Oct 2026 17:47", operation="553018996421"
    )
)


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(numbers=20)


@pytest.fixture(autouse=True)
def private_storage(tmp_path: Path, settings: Settings) -> None:
    proofs_alias = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": tmp_path},
    }
    settings.STORAGES = {**settings.STORAGES, "proofs": proofs_alias}


def keep_file(proof: PaymentProof, content: bytes) -> PaymentProof:
    """Store a proof's file and fingerprint, as the gateway does."""
    return proof_fetching.store_proof_file(
        proof.pk,
        content=content,
        content_type="image/jpeg",
        extension="jpg",
        now=NOON,
        fingerprint=fingerprints.compute_fingerprint(content),
    )


def create_proof_with_picture(raffle: Raffle, number: int, content: bytes) -> PaymentProof:
    """Create an order of one number and its proof with this picture."""
    order = order_states.create_placed_order(raffle, numbers=[number])
    return keep_file(order_states.receive_proof(order).proof, content)


class TestLookAlikes:
    def test_finds_copies_that_came_with_another_order(self, raffle: Raffle) -> None:
        first, copy = (
            create_proof_with_picture(raffle, 1, RECEIPT),
            create_proof_with_picture(raffle, 2, COPY),
        )
        create_proof_with_picture(raffle, 3, OTHER)

        found = similar_proofs.find_similar_proofs([first, copy])

        assert found == {first.pk: [copy], copy.pk: [first]}
        assert found[copy.pk][0].order == first.order

    def test_leaves_the_very_same_file_to_the_stronger_warning(self, raffle: Raffle) -> None:
        first, same = (
            create_proof_with_picture(raffle, 1, RECEIPT),
            create_proof_with_picture(raffle, 2, RECEIPT),
        )

        assert similar_proofs.find_similar_proofs([first, same]) == {}

    def test_passes_over_an_order_s_own_pictures_and_those_without_an_order(
        self, raffle: Raffle
    ) -> None:
        first = create_proof_with_picture(raffle, 1, RECEIPT)
        assert first.order is not None
        keep_file(order_states.receive_proof(first.order).proof, COPY)
        orphan = keep_file(order_states.receive_orphan_proof(), COPY_METHODS["png"](draw_receipt()))

        assert similar_proofs.find_similar_proofs([first]) == {}
        assert similar_proofs.find_similar_proofs([orphan]).keys() == {orphan.pk}

    def test_takes_three_queries_for_all_proofs_of_a_page(
        self, raffle: Raffle, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        page = [
            create_proof_with_picture(raffle, number, RECEIPT if number % 2 else COPY)
            for number in range(1, 9)
        ]

        with django_assert_num_queries(3):
            found = similar_proofs.find_similar_proofs(page)
            assert all(other.order for others in found.values() for other in others)

        assert {len(others) for others in found.values()} == {4}

    def test_asks_the_database_nothing_more_for_what_is_no_picture(
        self, raffle: Raffle, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        pdf = create_proof_with_picture(raffle, 1, b"%PDF-1.4")

        with django_assert_num_queries(1):
            assert similar_proofs.find_similar_proofs([pdf]) == {}


class TestRememberMissing:
    def test_looks_once_at_pictures_kept_before_there_were_fingerprints(
        self, raffle: Raffle
    ) -> None:
        page = [
            create_proof_with_picture(raffle, 1, RECEIPT),
            create_proof_with_picture(raffle, 2, COPY),
            create_proof_with_picture(raffle, 3, b"%PDF-1.4"),
        ]
        lost = create_proof_with_picture(raffle, 4, RECEIPT)
        lost.file.storage.delete(lost.file.name or "")
        FingerprintBand.objects.all().delete()
        PictureFingerprint.objects.all().delete()
        assert similar_proofs.find_similar_proofs(page) == {}

        assert list(similar_proofs.store_missing_fingerprints(batch=3)) == [3, 1]

        again = list(PaymentProof.objects.filter(pk__in=[proof.pk for proof in page]))
        assert similar_proofs.find_similar_proofs(again) == {
            page[0].pk: [page[1]],
            page[1].pk: [page[0]],
        }
        assert list(similar_proofs.store_missing_fingerprints()) == []

    def test_is_a_command(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("fingerprint_proofs")

        assert "0 pictures were looked at" in capsys.readouterr().out
