"""Decisions about many orders: shown once more, then each made by its own use case.

Every order is locked and settled in a transaction of its own, so that one that is refused or busy
never stops the others; afterwards a page says what happened to each.
"""

import time
from collections.abc import Callable, Iterable, Sequence
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

from backoffice.orders import decisions, last_decision
from backoffice.orders.changelist import bulk_confirmation
from backoffice.orders.changelist.bulk_confirmation import MAX_ORDERS_PER_ACTION, BulkAction
from backoffice.ui import actions, display
from shared.core import enums, logs
from shared.core.enums import RejectReason
from shared.core.errors import DomainError
from shared.raffles.models import Order
from shared.raffles.results import AlreadySettled, NeedsDecision, Settled
from shared.use_cases import order_endings, payments

_log = logs.get_logger(__name__)

MAX_BATCH_SECONDS: Final = 20.0
"""Seconds after which no further order is begun: the server would cut the answer off."""

_SESSION_KEY: Final = "orders_done"
"""Where the session keeps what happened, so that its page can be loaded again."""

_URL_NAMES: Final = {act: f"admin:raffles_order_{act}_many" for act in BulkAction}


class BulkOutcomeTone(StrEnum):
    """How it went with one order."""

    DONE = "done"
    SAME = "same"  # somebody else had done it before
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """What happened to one order."""

    order_id: int
    code: str
    tone: BulkOutcomeTone
    sentence: str


type BulkActionResult = tuple[BulkOutcomeTone, str]
"""How it went, and the sentence about it that follows the order's code."""


def render_bulk_confirmation(
    request: HttpRequest, chosen: QuerySet[Order], *, act: BulkAction
) -> HttpResponse:
    """Show the chosen orders with all that speaks for or against it, and ask once more.

    Raises:
        PermissionDenied: this person does not decide about money.

    """
    decisions.require_decision_permission(request)
    context = {
        "title": _CONFIRMATION_TITLES[act],
        "act": act.value,
        "address": reverse(_URL_NAMES[act]),
        "choice": bulk_confirmation.load_order_selection(chosen, act=act),
        "limit": MAX_ORDERS_PER_ACTION,
        "reasons": enums.build_choices(RejectReason),
        "back": request.GET.urlencode(),
    }
    page = admin.site.each_context(request) | context
    return render(request, "admin/raffles/order/many.html", page)


@require_POST
def confirm_payments_view(request: HttpRequest) -> HttpResponse:
    """Confirm the payments of the orders that the form names, having seen the proofs it names."""
    seen = decisions.parse_seen_proof_ids(request)

    def act(order: Order) -> BulkActionResult:
        outcome = payments.confirm_payment(
            order.pk, by=actions.build_staff_actor(request), now=timezone.now(), seen_proofs=seen
        )
        return _describe_bulk_confirmation(order, outcome)

    return _run_bulk_action(request, act)


@require_POST
def reject_proofs_view(request: HttpRequest) -> HttpResponse:
    """Turn down the proofs of the orders that the form names, all for one reason."""
    seen, note = decisions.parse_seen_proof_ids(request), decisions.parse_note(request)
    reason = request.POST.get("reason", "")
    if reason not in set(RejectReason) or (reason == RejectReason.OTHER and not note):
        decisions.require_decision_permission(request)
        messages.error(request, "Choose why the proofs are turned down; nothing was changed.")
        return redirect(_build_list_url(request.POST.get("back", "")))

    def act(order: Order) -> BulkActionResult:
        payments.reject_payment(
            order.pk,
            reason=RejectReason(reason),
            note=note,
            by=actions.build_staff_actor(request),
            now=timezone.now(),
            seen_proofs=seen,
        )
        return BulkOutcomeTone.DONE, "is turned down; the buyer is told why."

    return _run_bulk_action(request, act)


@require_POST
def cancel_orders_view(request: HttpRequest) -> HttpResponse:
    """Cancel the orders that the form names and free their numbers."""
    reason = decisions.parse_note(request)

    def act(order: Order) -> BulkActionResult:
        order_endings.cancel_order(
            order.pk, by=actions.build_staff_actor(request), now=timezone.now(), reason=reason
        )
        return BulkOutcomeTone.DONE, "is cancelled; its numbers are free again."

    return _run_bulk_action(request, act)


@require_GET
def bulk_result_view(request: HttpRequest) -> HttpResponse:
    """Say what happened to each order, as often as the page is loaded."""
    decisions.require_decision_permission(request)
    kept: dict[str, Any] = request.session.get(_SESSION_KEY, {})
    outcomes = [BulkOutcome(**one) for one in kept.get("outcomes", [])]
    return _render_result(request, outcomes, back=kept.get("back", ""))


_CONFIRMATION_TITLES: Final = {
    BulkAction.CONFIRM: "Confirm payments?",
    BulkAction.REJECT: "Reject proofs?",
    BulkAction.CANCEL: "Cancel orders?",
}


def _run_bulk_action(
    request: HttpRequest, act: Callable[[Order], BulkActionResult]
) -> HttpResponse:
    decisions.require_decision_permission(request)
    orders = _load_ticked_orders(request.POST.getlist("order"))
    if not orders:
        messages.info(request, "No order was ticked; nothing was changed.")
        return redirect(_build_list_url(request.POST.get("back", "")))
    outcomes, back = list(_apply_to_orders(orders, act)), request.POST.get("back", "")[:500]
    request.session[_SESSION_KEY] = {"outcomes": [asdict(one) for one in outcomes], "back": back}
    try:
        request.session.save()
    except (OperationalError, InterfaceError, UpdateError):  # so busy that it must be said at once
        request.session.modified = False
        return _render_result(request, outcomes, back=back)
    return redirect("admin:raffles_order_done")


def _render_result(
    request: HttpRequest, outcomes: Sequence[BulkOutcome], *, back: str
) -> HttpResponse:
    turn = list(reversed(BulkOutcomeTone))
    context = {
        "title": "What happened",
        "outcomes": sorted(outcomes, key=lambda one: turn.index(BulkOutcomeTone(one.tone))),
        "counts": [
            (tone.value, sum(one.tone == tone for one in outcomes)) for tone in BulkOutcomeTone
        ],
        "back": _build_list_url(back),
    }
    page = admin.site.each_context(request) | context
    return render(request, "admin/raffles/order/done.html", page)


def _load_ticked_orders(keys: Iterable[str]) -> Sequence[Order]:
    """Read the orders a form names, oldest first, so that two people meet them in one order."""
    ids = {int(key) for key in keys if key.isdecimal() and len(key) < 19}  # noqa: PLR2004 - 64 bits
    found = Order.objects.filter(pk__in=sorted(ids)[:MAX_ORDERS_PER_ACTION])
    return list(found.select_related("raffle").order_by("pk"))


def _apply_to_orders(
    orders: Sequence[Order], act: Callable[[Order], BulkActionResult]
) -> Iterable[BulkOutcome]:
    """Do it to one order after the other; nothing that goes wrong with one stops the next."""
    end = time.monotonic() + MAX_BATCH_SECONDS
    for order in orders:
        if time.monotonic() > end:
            tone, sentence = (
                BulkOutcomeTone.REFUSED,
                "was not reached in time; nothing was changed.",
            )
        else:
            tone, sentence = _apply_to_order(order, act)
        yield BulkOutcome(order.pk, str(order), tone, sentence)


def _apply_to_order(order: Order, act: Callable[[Order], BulkActionResult]) -> BulkActionResult:
    try:
        return act(order)
    except DomainError as refusal:
        return _describe_bulk_refusal(order, refusal)
    except (OperationalError, InterfaceError):
        return (
            BulkOutcomeTone.REFUSED,
            "could not: the database is busy. Nothing was changed; try it again.",
        )
    except Exception:  # noqa: BLE001 - whatever is wrong with one order, the others must go on
        _log.exception("order_batch_failed", order_id=order.pk)
        return BulkOutcomeTone.REFUSED, "could not: something went wrong here, and it is logged."


def _describe_bulk_refusal(order: Order, refusal: DomainError) -> BulkActionResult:
    if refusal.code == "proof_unseen":
        return BulkOutcomeTone.REFUSED, (
            "was left alone: another proof arrived after the page was shown. Look at it first."
        )
    if refusal.details.get("by") and (
        first := last_decision.describe_last_decision(order, now=timezone.now())
    ):
        return BulkOutcomeTone.SAME, f"is decided: {first}. Nothing was changed."
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
        case NeedsDecision(taken=taken):
            gone = display.format_ticket_numbers(raffle, taken)
            return BulkOutcomeTone.REFUSED, (
                f"was not confirmed: it had ended and somebody else has {gone}. "
                "It waits among the late payments."
            )


def _build_list_url(query: str) -> str:
    """Give the address of the list as it was filtered."""
    page = reverse("admin:raffles_order_changelist")
    return f"{page}?{query}" if query else page
