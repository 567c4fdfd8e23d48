"""Script that places an order in a raffle and stores a proof for it, as the gateway does."""

import sys

import django


def main(raffle_id: int, number: int) -> None:
    """Place an order of one ticket number whose proof waits for review, and print its key."""
    django.setup()
    from shared.raffles.models import Raffle
    from tests import builders
    from tests.acceptance.backoffice.seed import draw_receipt
    from tests.integration.backoffice import sample_data

    buyer = builders.create_contact(wa_id=f"1555888{raffle_id:02}{number:02}")
    raffle = Raffle.objects.get(pk=raffle_id)
    order = sample_data.place_order(raffle, numbers=[number], buyer=buyer)
    proof = sample_data.receive_proof(order, at=builders.NOON + (60 + number) * builders.MINUTE)
    sample_data.keep_proof_file(proof, content=draw_receipt("live", seed=200 + number))
    print(order.pk)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
