"""Tell page: winners first, then all buyers if the seller wants, with counts before sending."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from backoffice.messaging.chat_view import build_whatsapp_link
from backoffice.raffles.draws import pages
from backoffice.raffles.draws.pages import DrawAction, DrawPage
from backoffice.ui import audit_log, ids, phone_numbers
from backoffice.ui.actions import ActionRefused, build_staff_actor
from backoffice.ui.permissions import require_permission
from shared.raffles.draws.draw_errors import WinnerNotConfirmed
from shared.raffles.models import Order, Raffle
from shared.use_cases.draws import result_followers, result_messages
from shared.use_cases.draws.result_messages import Told, UnreachedBuyer, WinnerContact

BUYERS_PER_PAGE: Final = 50

TOLD_LABELS: Final = {
    Told.NOT_CONFIRMED: ("Confirm the winner first", "warning"),
    Told.NOT_TOLD: ("Not told yet", "info"),
    Told.QUEUED: ("Message on its way", "secondary"),
    Told.SENT: ("Told", "success"),
    Told.WITHHELD: ("Waits until the winner writes", "warning"),
    Told.FAILED: ("Message failed", "danger"),
    Told.NO_CHAT: ("Sold for cash: tell by hand", "warning"),
}
"""What a winner has heard, and the Bootstrap colour of its badge."""


@dataclass(frozen=True, slots=True)
class WinnerRow:
    """A winner with what they have heard, and the link to write to them by hand."""

    contact: WinnerContact
    told: str
    style: str
    whatsapp: str


@dataclass(frozen=True, slots=True)
class BuyerRow:
    """A buyer whom no message reached, and the link to write to them by hand."""

    buyer: UnreachedBuyer
    whatsapp: str


@dataclass(frozen=True, slots=True)
class TellingProgress:
    """How far the orders were worked off since all buyers were to be told."""

    at: datetime
    unfinished: bool
    done: int
    total: int


@require_GET
def tell_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Show who has heard what, whom a message can reach, and the texts to send by hand."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.VIEW_PERMISSION)
    require_permission(request, pages.WINNERS_PERMISSION)
    now = timezone.now()
    after = ids.parse_digits(request.GET.get("after", "0")) or 0
    contacts = result_messages.load_winner_contacts(raffle, now=now)
    confirmed = bool(contacts) and all(each.told != Told.NOT_CONFIRMED for each in contacts)
    text = _load_text_to_forward(raffle, now=now)
    progress = _load_progress(raffle)
    buyers = (
        result_messages.load_untold(raffle, after=after, limit=BUYERS_PER_PAGE + 1)
        if progress is not None and not progress.unfinished
        else []
    )
    context = {
        "rows": [_build_winner_row(each) for each in contacts],
        "to_tell": sum(each.told == Told.NOT_TOLD for each in contacts),
        "confirmed": confirmed,
        "counts": result_messages.count_tellable_buyers(raffle, now=now),
        "progress": progress,
        "text": text,
        "buyers": [_build_buyer_row(each, text=text) for each in buyers[:BUYERS_PER_PAGE]],
        "following": buyers[BUYERS_PER_PAGE - 1].order.pk if len(buyers) > BUYERS_PER_PAGE else 0,
    }
    return pages.render_draw_page(request, raffle, DrawPage.TELL, context)


@require_POST
def tell_winners_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Queue a message to each confirmed winner who was not told before."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.DRAW_PERMISSION)
    with DrawAction(request) as action:
        told = result_messages.tell_winners(
            raffle.pk, by=build_staff_actor(request), now=timezone.now()
        )
        audit_log.record_action(request, raffle, f"Told {told.told} winners")
        by_hand = f" {told.without_chat} to tell by hand." if told.without_chat else ""
        sent = f"{told.told} message{'' if told.told == 1 else 's'} on the way"
        action.report(messages.SUCCESS, f"{sent}; here you see what arrives.{by_hand}")
    return redirect(pages.build_page_url(raffle.pk, DrawPage.TELL))


@require_POST
def tell_buyers_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Tell the winners, and begin to tell all other buyers whom a message reaches."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.DRAW_PERMISSION)
    with DrawAction(request) as action:
        if request.POST.get("sure") != "yes":
            raise ActionRefused("Confirm that all buyers may be told; nothing was sent.")
        result_messages.tell_all_buyers(
            raffle.pk, by=build_staff_actor(request), now=timezone.now()
        )
        audit_log.record_action(request, raffle, "Told all buyers the results")
        action.report(messages.SUCCESS, "All buyers whom a message reaches are told now.")
    return redirect(pages.build_page_url(raffle.pk, DrawPage.TELL))


def _load_text_to_forward(raffle: Raffle, *, now: datetime) -> str:
    """Return the text for groups; empty before a winner is confirmed."""
    try:
        return result_messages.build_text_to_forward(raffle, now=now)
    except WinnerNotConfirmed:
        return ""


def _load_progress(raffle: Raffle) -> TellingProgress | None:
    event = result_followers.find_last_telling(raffle.pk)
    if event is None:
        return None
    counts = Order.objects.filter(raffle=raffle).aggregate(
        done=Count("pk", filter=Q(pk__lte=event.last_order_id)), total=Count("pk")
    )
    return TellingProgress(event.at, event.unfinished, counts["done"], counts["total"])


def _build_winner_row(contact: WinnerContact) -> WinnerRow:
    told, style = TOLD_LABELS[contact.told]
    digits = _find_digits(contact.winner.order, contact.phone)
    link = build_whatsapp_link(digits, text=contact.text) if contact.text else ""
    return WinnerRow(contact, told=told, style=style, whatsapp=link)


def _build_buyer_row(buyer: UnreachedBuyer, *, text: str) -> BuyerRow:
    digits = _find_digits(buyer.order, buyer.phone)
    return BuyerRow(buyer, whatsapp=build_whatsapp_link(digits, text=text))


def _find_digits(order: Order, phone: str) -> str:
    """Return a phone number for wa.me; one that was typed needs its country code."""
    if order.contact_id is not None:
        return phone
    return phone_numbers.find_international_digits(phone)
