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
from backoffice.orders.changelist.bulk_confirmation import LIMIT, Act
from backoffice.ui import display
from shared.core import enums, logs
from shared.core.enums import RejectReason
from shared.core.errors import DomainError
from shared.raffles.models import Order
from shared.raffles.services.payments import AlreadySettled, NeedsDecision, Settled
from shared.use_cases import payments

_log = logs.get_logger(__name__)

PATIENCE: Final = 20.0
"""Seconds after which no further order is begun: the server would cut the answer off."""

_KEPT: Final = "orders_done"
"""Where the session keeps what happened, so that its page can be loaded again."""

_ADDRESSES: Final = {act: f"admin:raffles_order_{act}_many" for act in Act}


class Tone(StrEnum):
    """How it went with one order."""

    DONE = "done"
    SAME = "same"  # somebody else had done it before
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one order."""

    order_id: int
    code: str
    tone: Tone
    sentence: str


type Said = tuple[Tone, str]
"""How it went, and the sentence about it that follows the order's code."""


def ask(request: HttpRequest, chosen: QuerySet[Order], *, act: Act) -> HttpResponse:
    """Show the chosen orders with all that speaks for or against it, and ask once more.

    Raises:
        PermissionDenied: this person does not decide about money.

    """
    decisions.refuse_onlookers(request)
    context = {
        "title": _TITLES[act],
        "act": act.value,
        "address": reverse(_ADDRESSES[act]),
        "choice": bulk_confirmation.read(chosen, act=act),
        "limit": LIMIT,
        "reasons": enums.build_choices(RejectReason),
        "back": request.GET.urlencode(),
    }
    page = admin.site.each_context(request) | context
    return render(request, "admin/raffles/order/many.html", page)


@require_POST
def confirm(request: HttpRequest) -> HttpResponse:
    """Confirm the payments of the orders that the form names, having seen the proofs it names."""
    seen = decisions.seen(request)

    def act(order: Order) -> Said:
        outcome = payments.confirm_payment(
            order.pk, by=decisions.staff(request), now=timezone.now(), seen_proofs=seen
        )
        return _confirmed(order, outcome)

    return _done(request, act)


@require_POST
def reject(request: HttpRequest) -> HttpResponse:
    """Turn down the proofs of the orders that the form names, all for one reason."""
    seen, note = decisions.seen(request), decisions.note_of(request)
    reason = request.POST.get("reason", "")
    if reason not in set(RejectReason) or (reason == RejectReason.OTHER and not note):
        decisions.refuse_onlookers(request)
        messages.error(request, "Choose why the proofs are turned down; nothing was changed.")
        return redirect(_list(request.POST.get("back", "")))

    def act(order: Order) -> Said:
        payments.reject_payment(
            order.pk,
            reason=RejectReason(reason),
            note=note,
            by=decisions.staff(request),
            now=timezone.now(),
            seen_proofs=seen,
        )
        return Tone.DONE, "is turned down; the buyer is told why."

    return _done(request, act)


@require_POST
def cancel(request: HttpRequest) -> HttpResponse:
    """Cancel the orders that the form names and free their numbers."""
    reason = decisions.note_of(request)

    def act(order: Order) -> Said:
        payments.cancel_order(
            order.pk, by=decisions.staff(request), now=timezone.now(), reason=reason
        )
        return Tone.DONE, "is cancelled; its numbers are free again."

    return _done(request, act)


@require_GET
def done(request: HttpRequest) -> HttpResponse:
    """Say what happened to each order, as often as the page is loaded."""
    decisions.refuse_onlookers(request)
    kept: dict[str, Any] = request.session.get(_KEPT, {})
    outcomes = [Outcome(**one) for one in kept.get("outcomes", [])]
    return _result(request, outcomes, back=kept.get("back", ""))


_TITLES: Final = {
    Act.CONFIRM: "Confirm payments?",
    Act.REJECT: "Reject proofs?",
    Act.CANCEL: "Cancel orders?",
}


def _done(request: HttpRequest, act: Callable[[Order], Said]) -> HttpResponse:
    decisions.refuse_onlookers(request)
    orders = _named(request.POST.getlist("order"))
    if not orders:
        messages.info(request, "No order was ticked; nothing was changed.")
        return redirect(_list(request.POST.get("back", "")))
    outcomes, back = list(_each(orders, act)), request.POST.get("back", "")[:500]
    request.session[_KEPT] = {"outcomes": [asdict(one) for one in outcomes], "back": back}
    try:
        request.session.save()
    except (OperationalError, InterfaceError, UpdateError):  # so busy that it must be said at once
        request.session.modified = False
        return _result(request, outcomes, back=back)
    return redirect("admin:raffles_order_done")


def _result(request: HttpRequest, outcomes: Sequence[Outcome], *, back: str) -> HttpResponse:
    turn = list(reversed(Tone))
    context = {
        "title": "What happened",
        "outcomes": sorted(outcomes, key=lambda one: turn.index(Tone(one.tone))),
        "counts": [(tone.value, sum(one.tone == tone for one in outcomes)) for tone in Tone],
        "back": _list(back),
    }
    page = admin.site.each_context(request) | context
    return render(request, "admin/raffles/order/done.html", page)


def _named(keys: Iterable[str]) -> Sequence[Order]:
    """Read the orders a form names, oldest first, so that two people meet them in one order."""
    ids = {int(key) for key in keys if key.isdecimal() and len(key) < 19}  # noqa: PLR2004 - 64 bits
    found = Order.objects.filter(pk__in=sorted(ids)[:LIMIT])
    return list(found.select_related("raffle").order_by("pk"))


def _each(orders: Sequence[Order], act: Callable[[Order], Said]) -> Iterable[Outcome]:
    """Do it to one order after the other; nothing that goes wrong with one stops the next."""
    end = time.monotonic() + PATIENCE
    for order in orders:
        if time.monotonic() > end:
            tone, sentence = Tone.REFUSED, "was not reached in time; nothing was changed."
        else:
            tone, sentence = _tried(order, act)
        yield Outcome(order.pk, str(order), tone, sentence)


def _tried(order: Order, act: Callable[[Order], Said]) -> Said:
    try:
        return act(order)
    except DomainError as refusal:
        return _refused(order, refusal)
    except (OperationalError, InterfaceError):
        return Tone.REFUSED, "could not: the database is busy. Nothing was changed; try it again."
    except Exception:  # noqa: BLE001 - whatever is wrong with one order, the others must go on
        _log.exception("order_batch_failed", order_id=order.pk)
        return Tone.REFUSED, "could not: something went wrong here, and it is logged."


def _refused(order: Order, refusal: DomainError) -> Said:
    if refusal.code == "proof_unseen":
        return Tone.REFUSED, (
            "was left alone: another proof arrived after the page was shown. Look at it first."
        )
    if refusal.details.get("by") and (first := last_decision.last_word(order, now=timezone.now())):
        return Tone.SAME, f"is decided: {first}. Nothing was changed."
    return Tone.REFUSED, f"could not: {refusal.message()} Nothing was changed."


def _confirmed(order: Order, outcome: Settled | AlreadySettled | NeedsDecision) -> Said:
    raffle = order.raffle
    match outcome:
        case Settled(late=late):
            sold = display.numbers(raffle, outcome.order.numbers())
            back = " It was late; its numbers were still free." if late else ""
            return Tone.DONE, f"is paid: {sold} are sold.{back}"
        case AlreadySettled(by=by, at=at):
            moment = display.when(at, zone=raffle.time_zone)
            return Tone.SAME, f"was already confirmed by {by} on {moment}."
        case NeedsDecision(taken=taken):
            gone = display.numbers(raffle, taken)
            return Tone.REFUSED, (
                f"was not confirmed: it had ended and somebody else has {gone}. "
                "It waits among the late payments."
            )


def _list(query: str) -> str:
    """Give the address of the list as it was filtered."""
    page = reverse("admin:raffles_order_changelist")
    return f"{page}?{query}" if query else page
