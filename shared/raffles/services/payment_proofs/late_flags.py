"""The need of a decision about a late payment, when its proofs leave the order."""

from typing import Any

from shared.core.enums import OrderAction
from shared.raffles.models import Order
from shared.raffles.services import history
from shared.raffles.services.payment_proofs import review_clock


def build_changes_without_proofs(order: Order) -> dict[str, Any]:
    """Return the fields of an ended order that change when its last pending proof has left.

    The need of a decision ends then, unless the money was reported without a proof: a proof is
    recorded at the very time at which it flags its order.
    """
    if not order.needs_decision or review_clock.has_pending_proof(order):
        return {}
    flagged = history.find_last_event(order, OrderAction.LATE_PAYMENT)
    with_proof = (
        flagged is not None
        and order.events.filter(action=OrderAction.PROOF_RECEIVED, at=flagged.at).exists()
    )
    return {"needs_decision": False} if with_proof else {}
