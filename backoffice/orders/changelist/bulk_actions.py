"""Decisions about many orders, each made by the use case for one order.

A page shows the chosen orders once more before anything is changed. Each order is then decided in
a transaction of its own, so that an order that is refused or busy does not stop the others. A last
page shows the outcome of each.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.sessions.backends.base import UpdateError
from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from backoffice.orders import last_decision
from backoffice.orders.changelist import bulk_confirmation
from backoffice.orders.changelist.bulk_confirmation import MAX_ORDERS_PER_ACTION, BulkAction
from backoffice.orders.form_values import parse_note, parse_seen_proof_ids
from backoffice.orders.permissions import require_decision_permission
from backoffice.ui import display, ids
from backoffice.ui.actions import build_staff_actor
from shared.core import enums, logs
from shared.core.enums import RejectReason
from shared.core.errors import DomainError
from shared.raffles import sale_rules
from shared.raffles.models import Order
from shared.raffles.results import AlreadySettled, NeedsDecision, Settled
from shared.use_cases import order_deadlines, order_endings, payments

_log = logs.get_logger(__name__)

MAX_BATCH_SECONDS: Final = 20.0
"""Seconds after which no further order is started: the server would cut off the response."""

_SESSION_KEY: Final = "orders_done"
"""Session key of the outcomes, so that the page about them can be reloaded."""

_URL_NAMES: Final = {
    action: f"admin:raffles_order_{action.replace('-', '_')}_many" for action in BulkAction
}

_CONFIRMATION_TITLES: Final = {
    BulkAction.CONFIRM: "Confirm payments?",
    BulkAction.REJECT: "Reject proofs?",
    BulkAction.MORE_TIME: "Give more time?",
    BulkAction.CANCEL: "Cancel orders?",
}


class BulkOutcomeTone(StrEnum):
    """The kind of outcome for one order."""

    DONE = "done"
    SAME = "same"  # somebody else had done it before
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """The outcome for one order."""

    order_id: int
    code: str
    tone: BulkOutcomeTone
    sentence: str


type BulkActionResult = tuple[BulkOutcomeTone, str]
"""The kind of outcome, and the sentence about it that follows the order's code."""


def render_bulk_confirmation(
    request: HttpRequest, chosen: QuerySet[Order], *, action: BulkAction
) -> HttpResponse:
    """Return the page that shows the chosen orders before anything is changed.

    Args:
        request: The request of the member of staff.
        chosen: The orders, see `bulk_confirmation.load_order_selection`.
        action: The action to confirm.

    Raises:
        PermissionDenied: The user may not decide about orders.

    """
    require_decision_permission(request)
    context = {
        "title": _CONFIRMATION_TITLES[action],
        "act": action.value,
        "address": reverse(_URL_NAMES[action]),
        "choice": bulk_confirmation.load_order_selection(chosen, action=action, now=timezone.now()),
        "limit": MAX_ORDERS_PER_ACTION,
        "reasons": enums.build_choices(RejectReason),
        "back": request.GET.urlencode(),
    }
    page = admin.site.each_context(request) | context
    return render(request, "admin/raffles/order/many.html", page)


@require_POST
def confirm_payments_view(request: HttpRequest) -> HttpResponse:
    """Confirm the payments of the ticked orders, based on the proofs that the form names."""
    require_decision_permission(request)
    batch = OrderBatch(request)
    for order in batch.iterate_orders():
        with batch.record_refusal(order):
            outcome = payments.confirm_payment(
                order.pk,
                by=build_staff_actor(request),
                now=timezone.now(),
                seen_proofs=parse_seen_proof_ids(request, order_id=order.pk),
            )
            batch.record_outcome(order, *_describe_bulk_confirmation(order, outcome))
    return batch.build_response()


@require_POST
def reject_proofs_view(request: HttpRequest) -> HttpResponse:
    """Reject the proofs of the ticked orders, all for the same reason."""
    require_decision_permission(request)
    reason, note = request.POST.get("reason", ""), parse_note(request)
    if reason not in set(RejectReason) or (reason == RejectReason.OTHER and not note):
        messages.error(request, "Choose why the proofs are rejected; nothing was changed.")
        return redirect(_build_list_url(request.POST.get("back", "")))
    batch = OrderBatch(request)
    for order in batch.iterate_orders():
        with batch.record_refusal(order):
            payments.reject_payment(
                order.pk,
                reason=RejectReason(reason),
                note=note,
                by=build_staff_actor(request),
                now=timezone.now(),
                seen_proofs=parse_seen_proof_ids(request, order_id=order.pk),
            )
            batch.record_outcome(order, BulkOutcomeTone.DONE, "is rejected; the buyer is told why.")
    return batch.build_response()


@require_POST
def give_more_time_view(request: HttpRequest) -> HttpResponse:
    """Start the time of the ticked orders anew."""
    require_decision_permission(request)
    batch = OrderBatch(request)
    for order in batch.iterate_orders():
        with batch.record_refusal(order):
            given = order_deadlines.give_more_time(
                order.pk, by=build_staff_actor(request), now=timezone.now()
            )
            until = display.format_time_with_zone(given.expires_at, zone=order.raffle.time_zone)
            batch.record_outcome(
                order, BulkOutcomeTone.DONE, f"has time until {until}; the buyer is told."
            )
    return batch.build_response()


@require_POST
def cancel_orders_view(request: HttpRequest) -> HttpResponse:
    """Cancel the ticked orders and free their ticket numbers."""
    require_decision_permission(request)
    batch = OrderBatch(request)
    for order in batch.iterate_orders():
        with batch.record_refusal(order):
            order_endings.cancel_order(
                order.pk,
                by=build_staff_actor(request),
                now=timezone.now(),
                reason=parse_note(request),
            )
            batch.record_outcome(
                order, BulkOutcomeTone.DONE, "is cancelled; its numbers are free again."
            )
    return batch.build_response()


@require_GET
def bulk_result_view(request: HttpRequest) -> HttpResponse:
    """Return the page about the outcome for each order; it can be reloaded."""
    require_decision_permission(request)
    stored: dict[str, Any] = request.session.get(_SESSION_KEY, {})
    outcomes = [BulkOutcome(**one) for one in stored.get("outcomes", [])]
    return _render_result(request, outcomes, back=stored.get("back", ""))


class OrderBatch:
    """The ticked orders of a form, and the outcome for each."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._orders = _load_ticked_orders(request.POST.getlist("order"))
        self._outcomes: list[BulkOutcome] = []

    def iterate_orders(self) -> Iterator[Order]:
        """Yield one order after the other; after `MAX_BATCH_SECONDS` the others are refused."""
        end = time.monotonic() + MAX_BATCH_SECONDS
        for order in self._orders:
            if time.monotonic() > end:
                self.record_outcome(
                    order,
                    BulkOutcomeTone.REFUSED,
                    "was not reached in time; nothing was changed.",
                )
            else:
                yield order

    @contextmanager
    def record_refusal(self, order: Order) -> Iterator[None]:
        """Record any error about one order as its outcome, so that the next order follows."""
        try:
            yield
        except DomainError as refusal:
            self.record_outcome(order, *_describe_bulk_refusal(order, refusal))
        except (OperationalError, InterfaceError):
            self.record_outcome(
                order,
                BulkOutcomeTone.REFUSED,
                "could not: the database is busy. Nothing was changed; try it again.",
            )
        except Exception:  # noqa: BLE001 - whatever is wrong with one order, the others must go on
            _log.exception("order_batch_failed", order_id=order.pk)
            self.record_outcome(
                order,
                BulkOutcomeTone.REFUSED,
                "could not: something went wrong here, and it is logged.",
            )

    def record_outcome(self, order: Order, tone: BulkOutcomeTone, sentence: str) -> None:
        """Record the outcome for one order."""
        self._outcomes.append(BulkOutcome(order.pk, str(order), tone, sentence))

    def build_response(self) -> HttpResponse:
        """Redirect to the page about the outcomes, or to the list if no order was ticked."""
        request = self._request
        if not self._outcomes:
            messages.info(request, "No order was ticked; nothing was changed.")
            return redirect(_build_list_url(request.POST.get("back", "")))
        back = request.POST.get("back", "")[:500]
        request.session[_SESSION_KEY] = {
            "outcomes": [asdict(outcome) for outcome in self._outcomes],
            "back": back,
        }
        try:
            request.session.save()
        except (OperationalError, InterfaceError, UpdateError):  # too busy to show them later
            request.session.modified = False
            return _render_result(request, self._outcomes, back=back)
        return redirect("admin:raffles_order_done")


def _load_ticked_orders(keys: Iterable[str]) -> Sequence[Order]:
    """Return the ticked orders, oldest first, so that two users take them in the same order."""
    ticked = sorted(set(ids.parse_ids(keys)))[:MAX_ORDERS_PER_ACTION]
    return list(Order.objects.filter(pk__in=ticked).select_related("raffle").order_by("pk"))


def _render_result(
    request: HttpRequest, outcomes: Sequence[BulkOutcome], *, back: str
) -> HttpResponse:
    refused_first = list(reversed(BulkOutcomeTone))
    context = {
        "title": "What happened",
        "outcomes": sorted(
            outcomes, key=lambda outcome: refused_first.index(BulkOutcomeTone(outcome.tone))
        ),
        "counts": [
            (tone.value, sum(outcome.tone == tone for outcome in outcomes))
            for tone in BulkOutcomeTone
        ],
        "back": _build_list_url(back),
    }
    page = admin.site.each_context(request) | context
    return render(request, "admin/raffles/order/done.html", page)


def _describe_bulk_refusal(order: Order, refusal: DomainError) -> BulkActionResult:
    if refusal.code == "proof_unseen":
        return BulkOutcomeTone.REFUSED, (
            "was left alone: another proof arrived after the page was shown. Look at it first."
        )
    if refusal.code == "proof_elsewhere":
        return BulkOutcomeTone.REFUSED, (
            "was left alone: a proof was moved to another order meanwhile. Look at it again."
        )
    if refusal.details.get("by") and (
        decided := last_decision.describe_last_decision(order, now=timezone.now())
    ):
        return BulkOutcomeTone.SAME, f"is decided: {decided}. Nothing was changed."
    return BulkOutcomeTone.REFUSED, f"could not: {refusal.message()} Nothing was changed."


def _describe_bulk_confirmation(
    order: Order, outcome: Settled | AlreadySettled | NeedsDecision
) -> BulkActionResult:
    raffle = order.raffle
    match outcome:
        case Settled(late=late):
            sold = display.format_ticket_numbers(raffle, outcome.order.list_ticket_numbers())
            back = " It was late; its numbers were still free." if late else ""
            return BulkOutcomeTone.DONE, f"is paid: {sold} are sold.{back}"
        case AlreadySettled(by=by, at=at):
            moment = display.format_time_with_zone(at, zone=raffle.time_zone)
            return BulkOutcomeTone.SAME, f"was already confirmed by {by} on {moment}."
        case NeedsDecision() if refusal := sale_rules.find_settling_refusal(
            raffle, now=timezone.now()
        ):
            return BulkOutcomeTone.REFUSED, (
                f"was not confirmed. {refusal.message()} It waits on the list of refunds."
            )
        case NeedsDecision(taken=taken):
            gone = display.format_ticket_numbers(raffle, taken)
            return BulkOutcomeTone.REFUSED, (
                f"was not confirmed: it had ended and somebody else has {gone}. "
                "It waits among the late payments."
            )


def _build_list_url(query: str) -> str:
    """Return the address of the list of orders with the filters it had."""
    page = reverse("admin:raffles_order_changelist")
    return f"{page}?{query}" if query else page
