"""The page of a receipt to sort, with the orders that it may belong to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.urls import reverse

from backoffice.messaging import chat_view
from backoffice.messaging.chat_view import Conversation
from backoffice.orders import last_decision, summary
from backoffice.orders.proofs import proof_cards
from backoffice.orders.proofs.proof_cards import ProofCard
from backoffice.ui import display
from shared.core import enums
from shared.core.enums import OrderStatus, Verdict
from shared.raffles import codes
from shared.raffles.models import Order, PaymentProof

MAX_CANDIDATE_ORDERS: Final = 10
"""Orders that are offered for a proof."""


@dataclass(frozen=True, slots=True)
class CandidateOrder:
    """An order that the proof may belong to; `fits` if it is waiting for a payment."""

    order: Order
    page: str
    buyer: str
    total: str
    status: str
    style: str
    at: str
    fits: bool


@dataclass(frozen=True, slots=True)
class OrphanProofDetailPage:
    """The page of a receipt to sort.

    Attributes:
        shown: The proof.
        sender: Name and phone number of its sender.
        settled: The decision about it; empty while it is waiting.
        order: The order that it stands with, if there is any.
        why: Why it stands with that order, or with none, as a sentence.
        may_refund: Whether it is a second payment, whose money can go back.
        may_dismiss: Whether it can be dismissed; that of a live order is confirmed or rejected.
        candidates: The orders of the sender or the order searched for; those that are waiting for
            a payment come first.
        searched: The order code that was searched for.
        conversation: The chat with the sender.

    """

    shown: ProofCard
    sender: str
    settled: str
    order: Order | None
    why: str
    may_refund: bool
    may_dismiss: bool
    candidates: list[CandidateOrder]
    searched: str
    conversation: Conversation | None

    @property
    def proofs(self) -> list[ProofCard]:
        """The proof as a list, which the template of the viewer expects."""
        return [self.shown]


def load_orphan_proof_page(
    proof: PaymentProof, *, searched: str, now: datetime
) -> OrphanProofDetailPage:
    """Return the page of a proof.

    Args:
        proof: The proof, with its contact, order and raffle.
        searched: The code of an order to search for, in any spelling; may be empty.
        now: The current time.

    """
    sender = proof.contact
    order = proof.order
    zone = settings.TIME_ZONE if order is None else order.raffle.time_zone
    pending = proof.verdict == Verdict.PENDING
    paid = order is not None and order.status == OrderStatus.PAID
    return OrphanProofDetailPage(
        shown=proof_cards.build_proof_cards([proof], zone=zone)[0],
        sender=display.format_contact(sender),
        settled="" if pending else _describe_outcome(proof, now=now),
        order=order,
        why=_explain_place(order, now=now) if pending else "",
        may_refund=pending and paid,
        may_dismiss=pending and (order is None or order.status not in Order.LIVE),
        candidates=_find_candidate_orders(proof, searched=searched) if pending else [],
        searched=searched,
        conversation=chat_view.load_conversation(sender.pk, zone=zone) if sender else None,
    )


def describe_place(proof: PaymentProof) -> str:
    """Return in a few words why a proof stands in the list; its order is loaded."""
    if proof.order is None:
        return "No order"
    if proof.order.status == OrderStatus.PAID:
        return f"{proof.order} is paid already"
    return f"{proof.order} is over"


def _explain_place(order: Order | None, *, now: datetime) -> str:
    if order is None:
        return "It fits no order of its sender."
    match OrderStatus(order.status):
        case OrderStatus.PAID:
            decided = last_decision.describe_last_decision(order, now=now)
            return f"{order} is paid already, and this receipt came besides: {decided}."
        case OrderStatus.DRAFT | OrderStatus.PENDING_PAYMENT:
            return f"It stands with {order}, which waits for review."
        case OrderStatus.CANCELLED | OrderStatus.EXPIRED:
            ended = enums.format_label(OrderStatus(order.status)).lower()
            if order.needs_decision:
                return f"It stands with {order}, which is {ended}: a late payment to decide about."
            return f"It was left with {order}, which is {ended}, and nobody decided about it."


def _describe_outcome(proof: PaymentProof, *, now: datetime) -> str:
    if proof.order is not None and proof.verdict != Verdict.DISMISSED:
        verdict = enums.format_label(Verdict(proof.verdict)).lower()
        return f"It was {verdict} with {proof.order}."
    when = last_decision.format_decision_time(
        proof.reviewed_at or now, zone=settings.TIME_ZONE, now=now
    )
    why = f": {proof.note}" if proof.note else "."
    return f"{proof.reviewer} dismissed it {when}{why}"


def _find_candidate_orders(proof: PaymentProof, *, searched: str) -> list[CandidateOrder]:
    """Return the orders that a proof may be put to; it is not moved to its own or a paid one."""
    if searched:
        found = Order.objects.filter(code=codes.normalise_code(searched) or "")
    else:
        buyers = {proof.contact_id, proof.order.contact_id if proof.order else None} - {None}
        found = Order.objects.filter(contact__in=buyers)
    if proof.order is not None:
        found = found.exclude(pk=proof.order.pk).exclude(status=OrderStatus.PAID)
    latest = found.select_related("raffle", "contact").order_by("-id")[:MAX_CANDIDATE_ORDERS]
    return sorted(map(_build_candidate_order, latest), key=lambda candidate: not candidate.fits)


def _build_candidate_order(order: Order) -> CandidateOrder:
    status = OrderStatus(order.status)
    return CandidateOrder(
        order=order,
        page=reverse("admin:raffles_order_change", args=[order.pk]),
        buyer=display.format_contact(order.contact),
        total=display.format_order_total(order),
        status="Proof waits" if order.under_review else enums.format_label(status),
        style="primary" if order.under_review else summary.ORDER_STATUS_STYLES[status],
        at=display.format_time(order.created_at, zone=order.raffle.time_zone),
        fits=status in Order.LIVE and not order.under_review,
    )
