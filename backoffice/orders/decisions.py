"""What staff decide about an order: each a POST of its own that calls one use case.

None of them happens in the change form, which Django wraps in a transaction: a use case owns its
own, and must have committed before anybody is told.
"""

from collections.abc import Callable
from typing import Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from backoffice.orders import last_decision, summary
from backoffice.orders.review import next_page
from backoffice.ui import display, error_messages
from shared.core import enums
from shared.core.enums import ActorKind, RejectReason
from shared.core.errors import DomainError
from shared.raffles.actor import Actor
from shared.raffles.models import Order
from shared.raffles.services.payments import AlreadySettled, NeedsDecision, Settled
from shared.use_cases import payments

type Said = tuple[int, str]
"""A level of Django's messages, and the sentence."""

NOTE: Final = 500
"""Characters of a note that are kept."""


@require_POST
def confirm(request: HttpRequest, order_id: int) -> HttpResponse:
    """Confirm the payment of an order, having seen the proofs the form names."""

    def act(order: Order) -> Said:
        outcome = payments.confirm_payment(
            order.pk,
            by=staff(request),
            now=timezone.now(),
            seen_proofs=seen(request),
            reviewed=request.POST.get("waited") == "yes",
        )
        return _confirmed(order, outcome)

    return decided(request, order_id, act)


@require_POST
def reject(request: HttpRequest, order_id: int) -> HttpResponse:
    """Turn down the proofs of an order that the form names; the buyer may send another."""

    def act(order: Order) -> Said:
        reason, note = request.POST.get("reason", ""), note_of(request)
        if reason not in set(RejectReason):
            return messages.ERROR, "Choose why the proof is turned down; nothing was changed."
        if reason == RejectReason.OTHER and not note:
            return messages.ERROR, "Say in a few words what is wrong; nothing was changed."
        payments.reject_payment(
            order.pk,
            reason=RejectReason(reason),
            note=note,
            by=staff(request),
            now=timezone.now(),
            seen_proofs=seen(request),
        )
        why = enums.format_label(RejectReason(reason)).lower()
        return messages.SUCCESS, f"The proof of {order} is turned down ({why}); the buyer is told."

    return decided(request, order_id, act)


@require_POST
def ask_again(request: HttpRequest, order_id: int) -> HttpResponse:
    """Ask the buyer for a better proof; the order stays under review."""

    def act(order: Order) -> Said:
        payments.ask_for_better_proof(
            order.pk,
            note=note_of(request),
            by=staff(request),
            now=timezone.now(),
            seen_proofs=seen(request),
        )
        return messages.SUCCESS, f"The buyer of {order} is asked for another proof."

    return decided(request, order_id, act)


@require_POST
def cancel(request: HttpRequest, order_id: int) -> HttpResponse:
    """Cancel an order and free its numbers; asks once more before it does."""
    refuse_onlookers(request)
    order = get_object_or_404(Order.objects.select_related("raffle", "contact"), pk=order_id)
    if request.POST.get("sure") != "yes":
        shown = summary.of(order, now=timezone.now())
        context = {"review": shown, "order": order, "title": f"Cancel {order}?"}
        return render(
            request, "admin/raffles/order/cancel.html", admin.site.each_context(request) | context
        )

    def act(order: Order) -> Said:
        reason = request.POST.get("reason", "").strip()[:NOTE]
        payments.cancel_order(order.pk, by=staff(request), now=timezone.now(), reason=reason)
        return messages.SUCCESS, f"{order} is cancelled and its numbers are free again."

    return decided(request, order_id, act)


def staff(request: HttpRequest) -> Actor:
    """Say which member of staff asks."""
    return Actor(ActorKind.STAFF, id=str(request.user.pk), label=request.user.get_username())


def told(request: HttpRequest, act: Callable[[], Said]) -> bool:
    """Do something and tell how it went; a refusal or a busy database is told, never a 500."""
    return attempted(request, act, refused=plainly)[0] != messages.ERROR


def attempted(
    request: HttpRequest, act: Callable[[], Said], *, refused: Callable[[DomainError], Said]
) -> tuple[int, DomainError | None]:
    """Do something, tell how it went, and say the level of that and why it was refused, if so.

    Args:
        request: whose reader is told.
        act: what is done.
        refused: how a refusal is put; it never becomes a 500, and neither does a busy database.

    """
    refusal = None
    try:
        level, sentence = act()
    except DomainError as error:
        refusal = error
        level, sentence = refused(error)
    except (OperationalError, InterfaceError):
        level, sentence = messages.ERROR, "The database is busy; nothing was changed. Try again."
    messages.add_message(request, level, sentence)
    return level, refusal


def plainly(refusal: DomainError) -> Said:
    """Put a refusal as its own sentence."""
    return messages.ERROR, f"{refusal.message()} Nothing was changed."


def decided(request: HttpRequest, order_id: int, act: Callable[[Order], Said]) -> HttpResponse:
    """Make one decision about an order, tell how it went, and lead to where one goes on.

    Args:
        request: a POST that names in `then` where it came from, see `landing`.
        order_id: which order.
        act: the decision; a refusal becomes a sentence that says who was faster.

    Raises:
        PermissionDenied: this person does not decide about money.

    """
    refuse_onlookers(request)
    order = get_object_or_404(Order.objects.select_related("raffle", "contact"), pk=order_id)
    way = next_page.read(request.POST)
    following = way.following(order, name=request.user.get_username(), now=timezone.now())

    def attempt() -> Said:
        if way.then == "queue" and order.asked_again_at and request.POST.get("asked") != "yes":
            first = last_decision.last_word(order, now=timezone.now())
            return messages.WARNING, f"{order}: {first}. Nothing was changed; look again."
        level, sentence = act(order)
        return level, way.with_link(order, sentence) if level == messages.SUCCESS else sentence

    level, refusal = attempted(request, attempt, refused=lambda refusal: _refused(order, refusal))
    if level == messages.SUCCESS:
        return redirect(following)
    return redirect(way.back(order, new=refusal.details.get("proof_ids", []) if refusal else []))


def refuse_onlookers(request: HttpRequest) -> None:
    """Go on only with who decides about money.

    Raises:
        PermissionDenied: for all others.

    """
    if not request.user.has_perm("raffles.change_order"):
        raise PermissionDenied


def seen(request: HttpRequest) -> list[int]:
    """Read which proofs the page showed that this decision was made on."""
    keys = request.POST.getlist("seen")
    return [int(key) for key in keys if key.isdecimal() and len(key) < 19]  # noqa: PLR2004 - 64 bits


def note_of(request: HttpRequest) -> str:
    """Read what was written beside a decision."""
    return request.POST.get("note", "").strip()[:NOTE]


def _refused(order: Order, refusal: DomainError) -> Said:
    """Say who did what when, where somebody was faster; else why it cannot be."""
    if refusal.code == "proof_unseen":
        return messages.WARNING, (
            f"Another proof for {order} arrived while you were looking; it is marked “new”. "
            "Nothing was changed."
        )
    if refusal.details.get("by"):
        first = last_decision.last_word(order, now=timezone.now())
        return messages.WARNING, f"{order} is decided: {first}. Nothing was changed."
    return (
        messages.ERROR,
        f"{error_messages.in_words(refusal, raffle=order.raffle)} Nothing was changed.",
    )


def _confirmed(order: Order, outcome: Settled | AlreadySettled | NeedsDecision) -> Said:
    raffle = order.raffle
    match outcome:
        case Settled(late=late):
            found = outcome.order.numbers()
            sold = f"{display.numbers(raffle, found)} {'is' if len(found) == 1 else 'are'} sold"
            back = " It was late; its numbers were still free and were taken back." if late else ""
            return messages.SUCCESS, f"{order} is paid: {sold}.{back} The buyer is told."
        case AlreadySettled(by=by, at=at):
            moment = last_decision.moment(at, zone=raffle.time_zone, now=timezone.now())
            return messages.INFO, f"{by} confirmed {order} {moment}. Nothing was changed."
        case NeedsDecision(taken=taken, free=free):
            left = display.numbers(raffle, free) or "none"
            return messages.WARNING, (
                f"{order} was not confirmed, nothing was sold. It had ended, and meanwhile "
                f"somebody else has {display.numbers(raffle, taken)}; still free: {left}. "
                "Give the buyer other numbers or note a refund."
            )
