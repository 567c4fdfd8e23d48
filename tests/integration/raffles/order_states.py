"""Orders in every state, brought there by the services themselves."""

from collections.abc import Collection
from itertools import count

from shared.core.enums import OrderStatus, RejectReason
from shared.raffles.models import Order, OrderEvent, PaymentProof, Raffle, TicketNumber
from shared.raffles.results import ProofKept, ProofLate, ProofSource
from shared.raffles.services import orders, reservations
from shared.raffles.services.payment_decisions import payments, proof_rejections
from shared.raffles.services.payment_proofs import proof_fetching
from shared.raffles.services.proof_placement import proofs
from shared.whatsapp.models import WhatsAppContact
from tests import builders
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID

PIVOT = 1_234_567
AFTER_THE_DEADLINE = NOON + 33 * MINUTE
"""Half an hour to pay, two minutes of grace, and one minute more."""

_message_serial = count(1)


def create_held_order(
    raffle: Raffle, *, numbers: Collection[int] = (1, 2, 3), contact: WhatsAppContact | None = None
) -> Order:
    """Hold numbers at noon, for a new buyer by default."""
    buyer = contact or builders.create_contact()
    return reservations.hold_numbers(
        raffle, contact_id=buyer.pk, numbers=numbers, now=NOON, by=builders.build_chat_actor()
    )


def create_placed_order(
    raffle: Raffle, *, numbers: Collection[int] = (1, 2, 3), contact: WhatsAppContact | None = None
) -> Order:
    """Hold numbers and place the order, at noon."""
    order = create_held_order(raffle, numbers=numbers, contact=contact)
    return orders.place(order, at=NOON, now=NOON, by=builders.build_chat_actor())


def create_order_under_review(
    raffle: Raffle, *, numbers: Collection[int] = (1, 2, 3), contact: WhatsAppContact | None = None
) -> Order:
    """Place an order and send a proof, at noon."""
    order = create_placed_order(raffle, numbers=numbers, contact=contact)
    kept = receive_proof(order)
    assert isinstance(kept, ProofKept)
    return kept.order


def create_paid_order(
    raffle: Raffle, *, numbers: Collection[int] = (1, 2, 3), contact: WhatsAppContact | None = None
) -> Order:
    """Place an order, send a proof and confirm the payment, at noon."""
    order = create_order_under_review(raffle, numbers=numbers, contact=contact)
    payments.confirm_payment(order, by=builders.build_staff_actor(), now=NOON)
    return order


def create_expired_order(
    raffle: Raffle, *, numbers: Collection[int] = (1, 2, 3), contact: WhatsAppContact | None = None
) -> Order:
    """Place an order and expire it after its deadline."""
    order = create_placed_order(raffle, numbers=numbers, contact=contact)
    assert orders.expire(order, now=AFTER_THE_DEADLINE)
    return order


def create_cancelled_order(raffle: Raffle, *, numbers: Collection[int] = (1, 2, 3)) -> Order:
    """Place an order and cancel it, at noon."""
    order = create_placed_order(raffle, numbers=numbers)
    return orders.cancel(order, by=builders.build_chat_actor(), now=NOON)


def create_order_in_status(raffle: Raffle, status: OrderStatus) -> Order:
    """Create an order with this status."""
    ways = {
        OrderStatus.DRAFT: create_held_order,
        OrderStatus.PENDING_PAYMENT: create_placed_order,
        OrderStatus.PAID: create_paid_order,
        OrderStatus.CANCELLED: create_cancelled_order,
        OrderStatus.EXPIRED: create_expired_order,
    }
    return ways[status](raffle)


def build_proof_source(**fields: object) -> ProofSource:
    """Return the source of a new proof message."""
    serial = next(_message_serial)
    values = {
        "phone_number_id": PHONE_NUMBER_ID,
        "wa_message_id": f"wamid.{serial}",
        "media_id": f"media-{serial}",
        "media_sha256": "",
        "caption": "",
        "arrived_at": NOON,
        **fields,
    }
    return ProofSource(**values)  # type: ignore[arg-type]


def receive_proof(order: Order, **fields: object) -> ProofKept | ProofLate:
    """Send a proof from the order's own buyer, at noon."""
    assert order.contact_id is not None
    outcome = proofs.receive_proof(
        build_proof_source(**fields),
        order=order,
        contact_id=order.contact_id,
        by=builders.build_chat_actor(),
        now=NOON,
    )
    assert isinstance(outcome, ProofKept | ProofLate)
    return outcome


def keep_file(proof: PaymentProof) -> PaymentProof:
    """Store the file of a proof, so that a person can look at it."""
    return proof_fetching.store_proof_file(
        proof.pk, content=b"\xff\xd8", content_type="image/jpeg", extension="jpg", now=NOON
    )


def receive_orphan_proof(contact: WhatsAppContact | None = None, **fields: object) -> PaymentProof:
    """Send a proof that fits no order, at noon."""
    buyer = contact or builders.create_contact()
    outcome = proofs.receive_proof(
        build_proof_source(**fields),
        order=None,
        contact_id=buyer.pk,
        by=builders.build_chat_actor(),
        now=NOON,
    )
    return outcome.proof


def create_late_order(raffle: Raffle, *, numbers: Collection[int] = (1, 2, 3)) -> Order:
    """Create an expired order whose first number is taken and whose proof comes after that."""
    order = create_expired_order(raffle, numbers=numbers)
    create_held_order(raffle, numbers=[min(numbers)])
    late = receive_proof(order, arrived_at=AFTER_THE_DEADLINE + MINUTE)
    assert isinstance(late, ProofLate)
    assert late.order.needs_decision
    return late.order


def reject_proofs(order: Order) -> Order:
    """Reject an order's proofs, at noon."""
    return proof_rejections.reject_proofs(
        order, reason=RejectReason.ILLEGIBLE, note="", by=builders.build_staff_actor(), now=NOON
    )


def list_ticket_statuses(raffle: Raffle, *numbers: int) -> list[str]:
    """Return the statuses of these numbers, in ascending order of number."""
    found = TicketNumber.objects.filter(raffle=raffle, number__in=numbers)
    return list(found.order_by("number").values_list("status", flat=True))


def list_actions(order: Order) -> list[str]:
    """Return the actions in an order's history, oldest first."""
    return [event.action for event in OrderEvent.objects.filter(order=order)]


def reload_order(order: Order) -> Order:
    """Return an order as the database has it."""
    return Order.objects.select_related("raffle").get(pk=order.pk)
