"""Script that places orders in a raffle and stores a proof for each, as the gateway does."""

import sys
from collections.abc import Sequence

import django


def main(raffle_id: int, numbers: Sequence[int]) -> None:
    """Place an order for each ticket number; those of smaller numbers wait longer for review."""
    django.setup()
    from shared.raffles.models import Raffle
    from tests import builders
    from tests.acceptance.backoffice.seed import draw_receipt
    from tests.integration.backoffice import sample_data

    raffle = Raffle.objects.get(pk=raffle_id)
    for number in numbers:
        buyer = builders.create_contact(wa_id=f"1555888{raffle_id:02}{number:02}")
        order = sample_data.place_order(raffle, numbers=[number], buyer=buyer)
        proof = sample_data.receive_proof(order, at=builders.NOON + (60 + number) * builders.MINUTE)
        sample_data.keep_proof_file(proof, content=draw_receipt("live", seed=200 + number))


if __name__ == "__main__":
    main(int(sys.argv[1]), [int(number) for number in sys.argv[2:]])
