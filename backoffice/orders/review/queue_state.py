"""Polling of the review queue: its counts and a version, at the cost of two small queries."""

import hashlib
from dataclasses import asdict, astuple, dataclass
from datetime import datetime

from django.db.models import Count, Max, Q, Sum
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_GET

from backoffice.orders import worklists
from backoffice.orders.permissions import require_view_permission
from backoffice.ui import ids
from shared.core.enums import ProofStatus
from shared.raffles.models import PaymentProof


@dataclass(frozen=True, slots=True)
class QueueState:
    """What an open queue page compares to find out whether it is out of date.

    Attributes:
        waiting: Orders that wait for a decision of staff.
        asked: Orders that wait for another proof of their buyer.
        latest: Id of the newest proof of these orders; a larger one than before is a new proof.
        version: Changes with every change of the list; an entity tag without its quotes.

    """

    waiting: int
    asked: int
    latest: int
    version: str


@dataclass(frozen=True, slots=True)
class _OrderTotals:
    """Sums that change if an order joins, leaves or moves in the list."""

    rows: int
    asked: int
    keys: int | None
    since: datetime | None
    asked_at: datetime | None


@require_GET
def queue_state_view(request: HttpRequest) -> HttpResponseBase:
    """Return the state of the queue; 304 if it has the version in `If-None-Match`."""
    require_view_permission(request)
    state = load_queue_state(raffle_id=ids.parse_digits(request.GET.get("raffle", "")))
    etag = f'"{state.version}"'
    state_response = JsonResponse(asdict(state), headers={"ETag": etag})
    return get_conditional_response(request, etag=etag, response=state_response) or state_response


def load_queue_state(*, raffle_id: int | None) -> QueueState:
    """Return the state of the queue of one raffle or of all (None), in two queries."""
    orders = worklists.query_orders_to_review(raffle_id=raffle_id).order_by()
    totals = _OrderTotals(
        **orders.aggregate(
            rows=Count("pk"),
            asked=Count("asked_again_at"),
            keys=Sum("pk"),
            since=Max("under_review_since"),
            asked_at=Max("asked_again_at"),
        )
    )
    proofs = PaymentProof.objects.filter(order__in=orders.values("pk")).aggregate(
        rows=Count("pk"), kept=Count("pk", filter=Q(status=ProofStatus.KEPT)), latest=Max("pk")
    )
    seen = (raffle_id, *astuple(totals), *proofs.values())
    return QueueState(
        waiting=totals.rows - totals.asked,
        asked=totals.asked,
        latest=proofs["latest"] or 0,
        version=hashlib.sha256(repr(seen).encode()).hexdigest()[:16],
    )
