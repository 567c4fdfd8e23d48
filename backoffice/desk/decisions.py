"""What staff decide about an order: each a POST of its own that calls one use case.

None of them happens in the change form, which Django wraps in a transaction: a use case owns its
own, and must have committed before anybody is told.
"""

from collections.abc import Callable

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from backoffice import words
from backoffice.desk import review
from shared.conversation import settlement
from shared.conversation.settlement import AlreadySettled, NeedsDecision, Settled
from shared.core.enums import ActorKind, RejectReason
from shared.core.errors import DomainError
from shared.raffles.actor import Actor
from shared.raffles.models import Order

type Said = tuple[int, str]
"""A level of Django's messages, and the sentence."""


@require_POST
def confirm(request: HttpRequest, order_id: int) -> HttpResponse:
    """Confirm the payment of an order, having seen the proofs the form names."""

    def act(order: Order) -> Said:
        outcome = settlement.confirm_payment(
            order.pk, by=staff(request), now=timezone.now(), seen_proofs=_seen(request)
        )
        return _confirmed(order, outcome)

    return _decided(request, order_id, act)


@require_POST
def reject(request: HttpRequest, order_id: int) -> HttpResponse:
    """Turn down the proofs of an order that the form names; the buyer may send another."""

    def act(order: Order) -> Said:
        reason = request.POST.get("reason", "")
        if reason not in set(RejectReason):
            return messages.ERROR, "Choose why the proof is turned down; nothing was changed."
        settlement.reject_payment(
            order.pk,
            reason=RejectReason(reason),
            note=request.POST.get("note", "").strip()[:500],
            by=staff(request),
            now=timezone.now(),
            seen_proofs=_seen(request),
        )
        return messages.SUCCESS, f"The proof of {order} is turned down; the buyer is told so."

    return _decided(request, order_id, act)


@require_POST
def cancel(request: HttpRequest, order_id: int) -> HttpResponse:
    """Cancel an order and free its numbers; asks once more before it does."""
    _may_decide(request)
    order = get_object_or_404(Order.objects.select_related("raffle", "contact"), pk=order_id)
    if request.POST.get("sure") != "yes":
        shown = review.of(order, now=timezone.now())
        context = {"review": shown, "order": order, "title": f"Cancel {order}?"}
        return render(
            request, "admin/raffles/order/cancel.html", admin.site.each_context(request) | context
        )

    def act(order: Order) -> Said:
        reason = request.POST.get("reason", "").strip()[:500]
        settlement.cancel_order(order.pk, by=staff(request), now=timezone.now(), reason=reason)
        return messages.SUCCESS, f"{order} is cancelled and its numbers are free again."

    return _decided(request, order_id, act)


def staff(request: HttpRequest) -> Actor:
    """Say which member of staff asks."""
    return Actor(ActorKind.STAFF, id=str(request.user.pk), label=request.user.get_username())


def told(request: HttpRequest, act: Callable[[], Said]) -> bool:
    """Do something and tell how it went; a refusal or a busy database is told, never a 500."""
    try:
        level, sentence = act()
    except DomainError as refusal:
        level, sentence = messages.ERROR, f"{refusal.message()} Nothing was changed."
    except (OperationalError, InterfaceError):
        level, sentence = messages.ERROR, "The database is busy; nothing was changed. Try again."
    messages.add_message(request, level, sentence)
    return level != messages.ERROR


def _decided(request: HttpRequest, order_id: int, act: Callable[[Order], Said]) -> HttpResponse:
    _may_decide(request)
    order = get_object_or_404(Order.objects.select_related("raffle", "contact"), pk=order_id)
    told(request, lambda: act(order))
    return redirect("admin:raffles_order_change", order.pk)


def _may_decide(request: HttpRequest) -> None:
    if not request.user.has_perm("raffles.change_order"):
        raise PermissionDenied


def _seen(request: HttpRequest) -> list[int]:
    return [int(key) for key in request.POST.getlist("seen") if key.isdecimal()]


def _confirmed(order: Order, outcome: Settled | AlreadySettled | NeedsDecision) -> Said:
    raffle = order.raffle
    match outcome:
        case Settled(late=late):
            sold = words.numbers(raffle, outcome.order.numbers())
            back = " It was late; its numbers were still free and were taken back." if late else ""
            return messages.SUCCESS, f"{order} is paid: {sold} are sold.{back} The buyer is told."
        case AlreadySettled(by=by, at=at):
            moment = words.when(at, zone=raffle.time_zone)
            return messages.INFO, f"{order} was already confirmed by {by} on {moment}."
        case NeedsDecision(taken=taken, free=free):
            left = words.numbers(raffle, free) or "none"
            return messages.WARNING, (
                f"{order} was not confirmed, nothing was sold. It had ended, and meanwhile "
                f"somebody else has {words.numbers(raffle, taken)}; still free: {left}. "
                "Agree with the buyer on other numbers or on a refund."
            )
