"""What the page of an orphan proof shows, read at once before it is drawn."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.urls import reverse

from backoffice import words
from backoffice.desk import conversation, evidence, faster, review, waiting
from backoffice.desk.conversation import Conversation
from backoffice.desk.evidence import ShownProof
from backoffice.desk.waiting import Place
from shared.core import enums
from shared.core.enums import OrderStatus, Verdict
from shared.raffles import codes
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.services import availability

CANDIDATES: Final = 10
"""How many of the sender's orders are offered."""


@dataclass(frozen=True, slots=True)
class Candidate:
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
class OrphanPage:
    """The page of a proof that fits no order.

    Attributes:
        shown: the proof.
        sender: name and phone.
        settled: who put it to an order or dismissed it and when; empty while it waits.
        place: where it stands in the list.
        candidates: the sender's orders, those that wait for a payment first.
        searched: what was searched for.
        found: what that found.
        conversation: what the sender wrote and was told.
        raffles: where an order can be made for the sender.

    """

    shown: ShownProof
    sender: str
    settled: str
    place: Place
    candidates: list[Candidate]
    searched: str
    found: Candidate | None
    conversation: Conversation | None
    raffles: list[Raffle]

    @property
    def proofs(self) -> list[ShownProof]:
        """The proof alone, as the viewer takes it."""
        return [self.shown]


def read(proof: PaymentProof, *, searched: str, now: datetime) -> OrphanPage:
    """Read everything the page of a proof shows.

    Args:
        proof: with its contact, and with its order and raffle if it has got one meanwhile.
        searched: the code of an order to look for, in any spelling; may be empty.
        now: the clock.

    """
    zone = settings.TIME_ZONE
    sender = proof.contact
    number = sender.phone_number_id if sender else proof.phone_number_id
    open_still = proof.order_id is None and proof.verdict == Verdict.PENDING
    return OrphanPage(
        shown=evidence.of([proof], zone=zone)[0],
        sender=words.buyer(sender),
        settled="" if open_still else _settled(proof, now=now),
        place=waiting.orphan_line().place(proof.pk),
        candidates=_candidates(sender.pk) if sender and open_still else [],
        searched=searched,
        found=_found(searched) if open_still else None,
        conversation=conversation.of_contact(sender.pk, zone=zone) if sender else None,
        raffles=availability.on_sale(number, now=now) if open_still else [],
    )


def _settled(proof: PaymentProof, *, now: datetime) -> str:
    if proof.order is not None:
        return f"It was put to {proof.order}."
    when = faster.moment(proof.reviewed_at or now, zone=settings.TIME_ZONE, now=now)
    why = f": {proof.note}" if proof.note else "."
    return f"{proof.reviewer} dismissed it {when}{why}"


def _candidates(contact_id: int) -> list[Candidate]:
    found = Order.objects.filter(contact_id=contact_id).select_related("raffle", "contact")
    latest = [_candidate(order) for order in found.order_by("-id")[:CANDIDATES]]
    return sorted(latest, key=lambda candidate: not candidate.fits)


def _found(searched: str) -> Candidate | None:
    code = codes.normalised(searched)
    if not code:
        return None
    order = Order.objects.filter(code=code).select_related("raffle", "contact").first()
    return _candidate(order) if order else None


def _candidate(order: Order) -> Candidate:
    status = OrderStatus(order.status)
    return Candidate(
        order=order,
        page=reverse("admin:raffles_order_change", args=[order.pk]),
        buyer=words.buyer(order.contact),
        total=words.money(order),
        status="Proof waits" if order.under_review else enums.label(status),
        style="primary" if order.under_review else review.STATUS_STYLES[status],
        at=words.clock(order.created_at, zone=order.raffle.time_zone),
        fits=status in Order.LIVE and not order.under_review,
    )
