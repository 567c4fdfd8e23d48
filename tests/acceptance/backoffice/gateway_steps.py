"""What the gateway does meanwhile, while a page of the back office is open."""

from io import BytesIO

import pillow_heif
from django.utils import timezone
from PIL import Image

from shared.raffles.models import Order, Raffle
from shared.use_cases import payments, raffle_changes
from tests import builders
from tests.acceptance.backoffice.seed import draw_receipt
from tests.hostile_files import write_pdf, write_png
from tests.integration.backoffice import sample_data


def place_orders(raffle_id: int, *numbers: int) -> None:
    """Place an order with a proof for each number; those of smaller numbers have waited longer."""
    raffle = Raffle.objects.get(pk=raffle_id)
    for number in numbers:
        buyer = builders.create_contact(wa_id=f"1555888{raffle_id:02}{number:02}")
        order = sample_data.place_order(raffle, numbers=[number], buyer=buyer)
        proof = sample_data.receive_proof(order, at=builders.NOON + (60 + number) * builders.MINUTE)
        sample_data.keep_proof_file(proof, content=draw_receipt("live", seed=200 + number))


def receive_proof(order_id: int) -> None:
    """Store another proof for an order."""
    order = Order.objects.get(pk=order_id)
    proof = sample_data.receive_proof(order, at=builders.NOON + 60 * builders.MINUTE)
    sample_data.keep_proof_file(proof, content=draw_receipt("another", seed=99))


def receive_hard_proofs() -> dict[str, int]:
    """Store a huge picture, a HEIC photo and a PDF for a paid order; return the keys.

    They are stored as the gateway of an older version did: without pictures for pages.
    """
    pillow_heif.register_heif_opener()
    photo = BytesIO()
    Image.new("RGB", (1_200, 900), "navy").save(photo, "HEIF")
    buyer = builders.create_contact(wa_id="15550100977")
    raffle = builders.create_raffle(title="Hard Files")
    order = sample_data.place_order(raffle, numbers=[7], buyer=buyer)
    keys = {"order": order.pk}
    for name, content, content_type in (
        ("huge", write_png(20_000, 20_000), "image/png"),
        ("heic", photo.getvalue(), "image/heic"),
        ("pdf", write_pdf(pages=3), "application/pdf"),
    ):
        proof = sample_data.receive_proof(order)
        sample_data.keep_proof_file(proof, content=content, content_type=content_type)
        keys[name] = proof.pk
    payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=builders.NOON)
    return keys


def follow_raffle_changes() -> None:
    """Work off the orders of raffles that changed, without letting any hold expire."""
    raffle_changes.continue_raffle_changes(now=timezone.now())
