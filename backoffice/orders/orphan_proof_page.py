"""What the page of an orphan proof shows, read at once before it is drawn."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.urls import reverse

from backoffice.messaging import chat_view
from backoffice.messaging.chat_view import Conversation
from backoffice.orders import last_decision, proof_cards, summary
from backoffice.orders.proof_cards import ProofCard
from backoffice.ui import display
from shared.core import enums
from shared.core.enums import OrderStatus, Verdict
from shared.raffles import codes
from shared.raffles.models import Order, PaymentProof
from shared.whatsapp.models import WhatsAppContact

MAX_CANDIDATE_ORDERS: Final = 10
"""How many of the sender's orders are offered."""


@dataclass(frozen=True, slots=True)
class CandidateOrder:
    """An order that the proof may pay; `fits` if it waits for a payment."""

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
    """The page of a proof that fits no order.

    Attributes:
        shown: the proof.
        sender: name and phone.
        settled: who put it to an order or dismissed it and when; empty while it waits.
        candidates: the sender's orders, those that wait for a payment first; or what was found.
        searched: the code that was searched for.
        conversation: what the sender wrote and was told.

    """

    shown: ProofCard
    sender: str
    settled: str
    candidates: list[CandidateOrder]
    searched: str
    conversation: Conversation | None

    @property
    def proofs(self) -> list[ProofCard]:
        """The proof alone, as the viewer takes it."""
        return [self.shown]


def load_orphan_proof_page(
    proof: PaymentProof, *, searched: str, now: datetime
) -> OrphanProofDetailPage:
    """Read everything the page of a proof shows.

    Args:
        proof: with its contact, and with its order and raffle if it has got one meanwhile.
        searched: the code of an order to look for, in any spelling; may be empty.
        now: the clock.

    """
    zone = settings.TIME_ZONE
    sender = proof.contact
    open_still = proof.order_id is None and proof.verdict == Verdict.PENDING
    return OrphanProofDetailPage(
        shown=proof_cards.build_proof_cards([proof], zone=zone)[0],
        sender=display.format_contact(sender),
        settled="" if open_still else _describe_outcome(proof, now=now),
        candidates=_find_candidate_orders(sender, searched=searched) if open_still else [],
        searched=searched,
        conversation=chat_view.load_conversation(sender.pk, zone=zone) if sender else None,
    )


def _describe_outcome(proof: PaymentProof, *, now: datetime) -> str:
    if proof.order is not None:
        return f"It was put to {proof.order}."
    when = last_decision.format_decision_time(
        proof.reviewed_at or now, zone=settings.TIME_ZONE, now=now
    )
    why = f": {proof.note}" if proof.note else "."
    return f"{proof.reviewer} dismissed it {when}{why}"


def _find_candidate_orders(
    sender: WhatsAppContact | None, *, searched: str
) -> list[CandidateOrder]:
    if searched:
        found = Order.objects.filter(code=codes.normalise_code(searched) or "")
    elif sender is not None:
        found = Order.objects.filter(contact=sender)
    else:
        return []
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
