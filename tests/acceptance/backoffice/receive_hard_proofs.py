"""Script that stores a huge picture, a HEIC photo and a PDF for a paid order; prints its key."""

import json
import sys
from io import BytesIO

import django


def main() -> None:
    """Store the proofs as the gateway of an older version did: without pictures for pages."""
    django.setup()
    import pillow_heif
    from PIL import Image

    from shared.use_cases import payments
    from tests import builders
    from tests.hostile_files import write_pdf, write_png
    from tests.integration.backoffice import sample_data

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
    json.dump(keys, sys.stdout)


if __name__ == "__main__":
    main()
