"""Buyers to tell by hand that a draw was moved or a raffle called off.

WhatsApp delivers a message only within 24 hours of the buyer's last one, and a sale for cash has no
chat at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from backoffice.messaging import chat_view, delivery_reasons
from backoffice.orders import pagination
from backoffice.raffles import chat_preview
from backoffice.ui import display, phone_numbers
from backoffice.ui.permissions import require_permission
from shared.conversation.facts.values import OrderFacts
from shared.conversation.texts import raffle_updates
from shared.conversation.values import Reply
from shared.core.enums import Mode, OrderStatus, RaffleAction
from shared.raffles.models import Order, Raffle, RaffleEvent
from shared.raffles.services.queries import order_queries
from shared.whatsapp import predicates
from shared.whatsapp.models import OutboundMessage

MESSAGE_KEYS: Final = ("called_off", "draw_moved")
"""Keys of the texts about a change of a raffle, see `texts.raffle_updates`."""

MAX_CASH_BUYERS: Final = 200
"""Buyers of cash sales that are listed."""


@dataclass(frozen=True, slots=True)
class UntoldBuyer:
    """A buyer to tell by hand.

    Attributes:
        name: Name and phone number.
        order_code: The order that the message is about.
        order_id: Its primary key.
        why: Why the message did not arrive.
        text: The text to send, as WhatsApp shows it.
        whatsapp: The wa.me link with the text; empty without a country code.

    """

    name: str
    order_code: str
    order_id: int
    why: str
    text: SafeString
    whatsapp: str


@require_GET
def untold_buyers_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Show the buyers who could not be told, and those of cash sales."""
    require_permission(request, "raffles.view_order")
    raffle = get_object_or_404(Raffle, pk=raffle_id)
    rows = query_untold_messages(raffle).select_related("contact").order_by("id")
    page = pagination.get_worklist_page(
        rows, count=rows.count(), number=request.GET.get("page", "")
    )
    context = {
        "raffle": raffle,
        "page": page,
        "buyers": _build_untold_buyers(list(page), raffle=raffle, now=timezone.now()),
        "cash": _load_cash_buyers(raffle) if page.number == 1 else [],
        "title": f"Buyers to tell by hand · {raffle}",
    }
    return render(request, "raffles/untold_buyers.html", admin.site.each_context(request) | context)


def query_untold_messages(raffle: Raffle) -> QuerySet[OutboundMessage]:
    """Return the messages about a change of a raffle that are withheld or failed."""
    codes = Order.objects.filter(raffle=raffle, contact__isnull=False).order_by().values("code")
    not_received = Q(predicates.WITHHELD_OUTBOUND) | predicates.FAILED_OUTBOUND
    return OutboundMessage.objects.filter(not_received, key__in=MESSAGE_KEYS, about__in=codes)


def query_cash_orders_to_tell(raffle: Raffle) -> QuerySet[Order]:
    """Return the paid orders of a raffle whose buyers have no chat."""
    return Order.objects.filter(raffle=raffle, contact=None, status=OrderStatus.PAID)


def _build_untold_buyers(
    rows: Sequence[OutboundMessage], *, raffle: Raffle, now: datetime
) -> list[UntoldBuyer]:
    codes = [message.about for message in rows]
    order_ids: Mapping[str | None, int] = dict(
        Order.objects.filter(code__in=codes).values_list("code", "pk")
    )
    buyers = []
    for message in rows:
        conversation = chat_view.build_single_message_conversation(
            message, zone=raffle.time_zone, now=now
        )
        text = conversation.bubbles[0].plain
        buyers.append(
            UntoldBuyer(
                name=display.format_contact(message.contact),
                order_code=message.about,
                order_id=order_ids[message.about],
                why=delivery_reasons.explain_message_state(message, now=now),
                text=chat_view.render_whatsapp_text(text),
                whatsapp=chat_view.build_whatsapp_link(message.contact.wa_id, text=text),
            )
        )
    return buyers


def _load_cash_buyers(raffle: Raffle) -> list[UntoldBuyer]:
    """Return the buyers of cash sales, with the message that others got; in three queries."""
    event = raffle.events.filter(
        action__in=(RaffleAction.CALLED_OFF, RaffleAction.DRAW_MOVED)
    ).last()
    if event is None:
        return []
    orders = list(query_cash_orders_to_tell(raffle).order_by("id")[:MAX_CASH_BUYERS])
    numbers = order_queries.load_ticket_numbers([order.pk for order in orders])
    raffle_facts = chat_preview.build_raffle_facts(raffle, free=0, now=timezone.now())
    buyers = []
    for order in orders:
        facts = OrderFacts(
            id=order.pk,
            code=str(order),
            raffle=raffle_facts,
            status=OrderStatus.PAID,
            mode=Mode(order.mode),
            numbers=tuple(numbers.get(order.pk, ())),
            total=order.total,
            currency=order.currency,
            expires_at=None,
        )
        text = _build_message(facts, event).body
        digits = phone_numbers.find_international_digits(order.buyer_phone)
        buyers.append(
            UntoldBuyer(
                name=", ".join(filter(None, (order.buyer_name, order.buyer_phone))) or "No name",
                order_code=str(order),
                order_id=order.pk,
                why="Sold for cash, so there is no chat.",
                text=chat_view.render_whatsapp_text(text),
                whatsapp=chat_view.build_whatsapp_link(digits, text=text),
            )
        )
    return buyers


def _build_message(order: OrderFacts, event: RaffleEvent) -> Reply:
    if event.action == RaffleAction.CALLED_OFF:
        return raffle_updates.build_called_off_message(order, note=event.reason)
    return raffle_updates.build_draw_moved_message(
        order, before=event.draw_before, note=event.reason
    )
