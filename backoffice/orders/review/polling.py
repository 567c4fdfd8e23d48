"""What has changed since a review page was drawn: a tiny answer that the page asks for."""

from datetime import datetime, timedelta

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET

from backoffice.orders import last_decision, proof_cards, worklists
from backoffice.orders.review import next_page, queue, reviewer_presence
from backoffice.ui import display
from shared.core.enums import ProofStatus
from shared.raffles.models import Order, PaymentProof


@require_GET
def review_state_view(request: HttpRequest, order_id: int) -> JsonResponse:
    """Tell a review page what changed, who else looks, and which picture comes next.

    The page names in `seen` the proofs it shows that wait, and in `fetching` those whose files
    were still on their way.
    """
    queue.require_view_permission(request)
    order = get_object_or_404(Order.objects.select_related("raffle"), pk=order_id)
    now = timezone.now()
    way = next_page.parse_decision_origin(request.GET)
    proofs = [proof for proof in order.proofs.order_by("id") if proof_cards.is_proof_pending(proof)]
    seen = set(request.GET.getlist("seen"))
    fetched = {str(proof.pk) for proof in proofs if proof.status == ProofStatus.KEPT}
    waits = order.under_review or order.needs_decision
    other = reviewer_presence.record_presence(order.pk, name=request.user.get_username(), now=now)
    return JsonResponse(
        {
            "waits": waits,
            "decided": "" if waits else last_decision.describe_last_decision(order, now=now),
            "news": _build_reload_url(
                order, [proof.pk for proof in proofs if str(proof.pk) not in seen], way
            ),
            "fetched": bool(fetched.intersection(request.GET.getlist("fetching"))),
            "looking": _describe_other_reviewer(other, now=now),
            "next": _build_next_picture_url(order, way=way),
        }
    )


def _build_reload_url(order: Order, new: list[int], way: next_page.DecisionOrigin) -> str:
    """Give the address of the page with the new proofs; empty while there are none."""
    return way.review(order, new=new) if new else ""


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


def _build_next_picture_url(order: Order, *, way: next_page.DecisionOrigin) -> str:
    """Give the address of the picture that is looked at next, so that it can be fetched ahead."""
    following = worklists.load_review_worklist(raffle_id=way.raffle_id).next_after(order.pk)
    if following is None:
        return ""
    proofs = list(PaymentProof.objects.filter(order_id=following).order_by("id"))
    pictures = [
        proof
        for proof in proofs
        if proof_cards.choose_proof_display(proof) is proof_cards.ProofDisplay.PICTURE
    ]
    open_ones = [proof for proof in pictures if proof_cards.is_proof_pending(proof)]
    return proof_cards.build_proof_file_url(open_ones[0]) if open_ones else ""
