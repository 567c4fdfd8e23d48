"""Script that stores another proof for an order, as the gateway does."""

import sys

import django


def main(order_id: int) -> None:
    """Store a proof with its file."""
    django.setup()
    from shared.raffles.models import Order
    from tests import builders
    from tests.acceptance.backoffice.seed import draw_receipt
    from tests.integration.backoffice import sample_data

    order = Order.objects.get(pk=order_id)
    proof = sample_data.receive_proof(order, at=builders.NOON + 60 * builders.MINUTE)
    sample_data.keep_proof_file(proof, content=draw_receipt("another", seed=99))


if __name__ == "__main__":
    main(int(sys.argv[1]))
