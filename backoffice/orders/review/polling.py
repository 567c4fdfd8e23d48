"""Polling of the review page for changes, as JSON."""

from datetime import datetime, timedelta

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET

from backoffice.orders import last_decision, worklists
from backoffice.orders.permissions import require_view_permission
from backoffice.orders.proofs import proof_cards
from backoffice.orders.review import reviewer_presence
from backoffice.orders.review.next_page import build_review_url, parse_decision_origin
from backoffice.ui import display
from shared.core.enums import ProofStatus
from shared.raffles.models import Order, PaymentProof


@require_GET
def review_state_view(request: HttpRequest, order_id: int) -> JsonResponse:
    """Return changes since a review page was loaded, another reviewer, and the next picture.

    The page sends in `seen` the ids of the pending proofs it shows, and in `fetching` the ids of
    those whose file was still being fetched.
    """
    require_view_permission(request)
    order = get_object_or_404(Order.objects.select_related("raffle"), pk=order_id)
    now = timezone.now()
    raffle_id = parse_decision_origin(request.GET).raffle_id
    proofs = [proof for proof in order.proofs.order_by("id") if proof_cards.is_proof_pending(proof)]
    seen = set(request.GET.getlist("seen"))
    new = [proof.pk for proof in proofs if str(proof.pk) not in seen]
    fetched = {str(proof.pk) for proof in proofs if proof.status == ProofStatus.KEPT}
    waits = order.under_review or order.needs_decision
    other = reviewer_presence.record_presence(order.pk, name=request.user.get_username(), now=now)
    return JsonResponse(
        {
            "waits": waits,
            "decided": "" if waits else last_decision.describe_last_decision(order, now=now),
            "news": build_review_url(order.pk, raffle_id=raffle_id, new=new) if new else "",
            "fetched": bool(fetched.intersection(request.GET.getlist("fetching"))),
            "looking": _describe_other_reviewer(other, now=now),
            "next": _build_next_picture_url(order, raffle_id=raffle_id),
        }
    )


def _describe_other_reviewer(
    other: reviewer_presence.ReviewerPresence | None, *, now: datetime
) -> str:
    if other is None:
        return ""
    if now - other.since < timedelta(minutes=1):
        return f"{other.name} is looking at this too."
    return (
        f"{other.name} is looking at this too, since "
        f"{display.format_time_since(other.since, now=now)}."
    )


def _build_next_picture_url(order: Order, *, raffle_id: int | None) -> str:
    """Return the address of the first picture of the next order, for the page to prefetch."""
    following = worklists.load_review_worklist(raffle_id=raffle_id).find_next(order.pk)
    if following is None:
        return ""
    proofs = list(PaymentProof.objects.filter(order_id=following).order_by("id"))
    pictures = [proof for proof in proofs if proof_cards.is_proof_showable(proof)]
    pending = [proof for proof in pictures if proof_cards.is_proof_pending(proof)]
    return proof_cards.build_picture_url(pending[0]) if pending else ""
