"""Selling numbers for cash, by the rules of the chat: the form, and what it sold."""

import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from backoffice.raffles.cash_sale_form import NOT_SELLING_REASONS, CashSaleForm
from backoffice.ui import display
from backoffice.ui.actions import build_staff_actor
from shared.conversation import formatting
from shared.core.errors import DomainError
from shared.raffles.models import Order, Raffle
from shared.raffles.services import availability
from shared.use_cases import cash_sales
from shared.use_cases.cash_sales import CashSale


@dataclass(frozen=True, slots=True)
class CashSaleReceipt:
    """A sale as it is read out, and what can be sent to the buyer by hand."""

    order: Order
    numbers: list[str]
    total: str
    buyer: str
    text: str
    whatsapp: str


@require_http_methods(["GET", "POST"])
def cash_sale_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Offer the form, sell what it asks for, or with `?sold=` show what was sold.

    A form sent twice sells once: its key is kept with the order.
    """
    if not request.user.has_perm("raffles.add_order"):
        raise PermissionDenied
    raffle = get_object_or_404(Raffle, pk=raffle_id)
    sold = request.GET.get("sold", "")
    if request.method == "GET" and sold.isascii() and sold.isdecimal():
        return _render_receipt(request, raffle, order_id=int(sold[:18]))
    if request.method == "GET":
        return _render_form(
            request, raffle, CashSaleForm(raffle=raffle, initial=_parse_initial_values(request.GET))
        )
    form = CashSaleForm(request.POST, raffle=raffle)
    done = _sell_for_cash(request, raffle, form) if form.is_valid() else None
    if done is None:
        return _render_form(request, raffle, form)
    if done.repeated:
        messages.info(request, "This form was sent before: here is what it sold, nothing more.")
    return redirect(
        f"{reverse('admin:desk_sell', args=[done.order.raffle_id])}?sold={done.order.pk}"
    )


def _sell_for_cash(request: HttpRequest, raffle: Raffle, form: CashSaleForm) -> CashSale | None:
    """Sell; a refusal or a busy database is written into the form."""
    values = form.cleaned_data
    try:
        return cash_sales.sell_for_cash(
            raffle.pk,
            numbers=form.chosen,
            quantity=values["quantity"],
            buyer_name=values["buyer_name"],
            buyer_phone=values["buyer_phone"],
            request_key=values["request_key"],
            pivot=secrets.randbelow(2**31),
            by=build_staff_actor(request),
            now=timezone.now(),
        )
    except DomainError as refusal:
        form.refuse(refusal)
    except (OperationalError, InterfaceError):
        form.add_error(None, "The database is busy; nothing was sold. Press the button again.")
    return None


def _render_form(request: HttpRequest, raffle: Raffle, form: CashSaleForm) -> HttpResponse:
    now = timezone.now()
    closed = availability.get_not_selling_reason(raffle, now=now)
    counts = availability.load_recent_counts(raffle.pk, now=now)
    context = {
        "raffle": raffle,
        "form": form,
        "why_not": NOT_SELLING_REASONS[closed] if closed else "",
        "price": formatting.format_money(raffle.price, raffle.currency),
        "free": f"{counts.available:,}",
        "title": f"Sell for cash · {raffle}",
    }
    return _render_page(request, context)


def _parse_initial_values(asked: QueryDict) -> dict[str, Any]:
    """Take numbers from the address, as the map's links have them."""
    numbers = asked.get("numbers", "")[:200]
    return {"how": "pick", "numbers": numbers} if numbers else {}


def _render_receipt(request: HttpRequest, raffle: Raffle, *, order_id: int) -> HttpResponse:
    sold = Order.objects.filter(raffle=raffle, contact=None, request_key__isnull=False)
    order = get_object_or_404(sold, pk=order_id)
    context = {
        "raffle": raffle,
        "receipt": _build_receipt(order, raffle),
        "title": f"Sold · {raffle}",
    }
    return _render_page(request, context)


def _build_receipt(order: Order, raffle: Raffle) -> CashSaleReceipt:
    numbers = order.list_ticket_numbers()
    text = _build_receipt_text(order, raffle, numbers=numbers)
    digits = "".join(character for character in order.buyer_phone if character.isdigit())
    return CashSaleReceipt(
        order=order,
        numbers=[raffle.format_ticket_number(number) for number in numbers],
        total=display.format_order_total(order),
        buyer=", ".join(part for part in (order.buyer_name, order.buyer_phone) if part),
        text=text,
        whatsapp=f"https://wa.me/{digits}?text={quote(text)}" if digits else "",
    )


def _build_receipt_text(order: Order, raffle: Raffle, *, numbers: list[int]) -> str:
    """Write what the buyer gets to keep."""
    written = formatting.format_numbers_as_sentence(numbers, width=raffle.width, at_most=100)
    verb = "is" if len(numbers) == 1 else "are"
    draw = (
        formatting.format_day_and_time(raffle.draw_at, time_zone=raffle.time_zone)
        if raffle.draw_at
        else ""
    )
    lines = [
        f"{raffle.title}: {written} {verb} yours, {order.buyer_name}.",
        f"Paid: {display.format_order_total(order)}. Order {order}.",
        f"Draw: {draw}. Good luck!" if draw else "Good luck!",
    ]
    return "\n".join(lines)


def _render_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    return render(request, "desk/sell.html", admin.site.each_context(request) | context)
