"""Cash sale page: the form and the receipt."""

import secrets
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from backoffice.messaging.chat_view import build_whatsapp_link
from backoffice.raffles import status
from backoffice.raffles.cash_sale_form import CashSaleForm
from backoffice.ui import display, ids, phone_numbers
from backoffice.ui.actions import build_staff_actor
from backoffice.ui.permissions import require_permission
from shared.conversation import formatting
from shared.core.errors import DomainError
from shared.raffles.models import Order, Raffle
from shared.raffles.services import availability
from shared.use_cases import cash_sales
from shared.use_cases.cash_sales import CashSale


@dataclass(frozen=True, slots=True)
class CashSaleReceipt:
    """A cash sale as the page shows it, with a text for the buyer.

    Attributes:
        order: the order.
        numbers: the ticket numbers, formatted.
        total: the amount, formatted.
        buyer: name and phone number.
        text: the text for the buyer.
        whatsapp: the wa.me link with the text; empty without a country code.

    """

    order: Order
    numbers: list[str]
    total: str
    buyer: str
    text: str
    whatsapp: str


@require_http_methods(["GET", "POST"])
def cash_sale_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Show the form, sell what it asks for, or show the receipt of the order in `?sold=`.

    The order stores the form's key, so a form that is submitted twice sells only once.
    """
    require_permission(request, "raffles.add_order")
    raffle = get_object_or_404(Raffle, pk=raffle_id)
    sold = request.GET.get("sold", "")
    if request.method == "GET" and sold:
        return _render_receipt(request, raffle, order_id=ids.parse_digits(sold) or 0)
    if request.method == "GET":
        return _render_form(
            request, raffle, CashSaleForm(raffle=raffle, initial=_parse_initial_values(request.GET))
        )
    form = CashSaleForm(request.POST, raffle=raffle)
    sale = _sell_for_cash(request, raffle, form) if form.is_valid() else None
    if sale is None:
        return _render_form(request, raffle, form)
    if sale.repeated:
        messages.info(request, "This form was sent before: here is what it sold, nothing more.")
    return redirect(
        f"{reverse('admin:desk_sell', args=[sale.order.raffle_id])}?sold={sale.order.pk}"
    )


def _sell_for_cash(request: HttpRequest, raffle: Raffle, form: CashSaleForm) -> CashSale | None:
    """Sell and return the sale; add an error to the form if that fails."""
    values = form.cleaned_data
    try:
        return cash_sales.sell_for_cash(
            raffle.pk,
            numbers=form.chosen_ticket_numbers,
            quantity=values["quantity"],
            buyer_name=values["buyer_name"],
            buyer_phone=values["buyer_phone"],
            request_key=values["request_key"],
            pivot=secrets.randbelow(2**31),
            by=build_staff_actor(request),
            now=timezone.now(),
        )
    except DomainError as refusal:
        form.add_refusal(refusal)
    except (OperationalError, InterfaceError):
        form.add_error(None, "The database is busy; nothing was sold. Press the button again.")
    return None


def _render_form(request: HttpRequest, raffle: Raffle, form: CashSaleForm) -> HttpResponse:
    now = timezone.now()
    counts = availability.load_recent_counts(raffle.pk, now=now)
    context = {
        "raffle": raffle,
        "form": form,
        "why_not": status.describe_no_sale(raffle, now=now),
        "price": formatting.format_money(raffle.price, raffle.currency),
        "free": f"{counts.available:,}",
        "title": f"Sell for cash · {raffle}",
    }
    return _render_page(request, context)


def _parse_initial_values(params: QueryDict) -> dict[str, Any]:
    """Return initial values from the URL, as the number map's links contain them."""
    numbers = params.get("numbers", "")[:200]
    return {"how": "pick", "numbers": numbers} if numbers else {}


def _render_receipt(request: HttpRequest, raffle: Raffle, *, order_id: int) -> HttpResponse:
    cash_orders = Order.objects.filter(raffle=raffle, contact=None, request_key__isnull=False)
    order = get_object_or_404(cash_orders, pk=order_id)
    context = {
        "raffle": raffle,
        "receipt": _build_receipt(order, raffle),
        "title": f"Sold · {raffle}",
    }
    return _render_page(request, context)


def _build_receipt(order: Order, raffle: Raffle) -> CashSaleReceipt:
    numbers = order.list_ticket_numbers()
    text = _build_receipt_text(order, raffle, numbers=numbers)
    digits = phone_numbers.find_international_digits(order.buyer_phone)
    return CashSaleReceipt(
        order=order,
        numbers=[raffle.format_ticket_number(number) for number in numbers],
        total=display.format_order_total(order),
        buyer=", ".join(part for part in (order.buyer_name, order.buyer_phone) if part),
        text=text,
        whatsapp=build_whatsapp_link(digits, text=text),
    )


def _build_receipt_text(order: Order, raffle: Raffle, *, numbers: list[int]) -> str:
    """Return the text that the buyer receives."""
    listed = formatting.format_numbers_as_sentence(numbers, width=raffle.width, at_most=100)
    verb = "is" if len(numbers) == 1 else "are"
    lines = [
        f"{raffle.title}: {listed} {verb} yours, {order.buyer_name}.",
        f"Paid: {display.format_order_total(order)}. Order {order}.",
        f"{_describe_draw(raffle)}Good luck!",
    ]
    return "\n".join(lines)


def _describe_draw(raffle: Raffle) -> str:
    """Return a sentence about the draw, followed by a space; empty if nothing is known."""
    if raffle.draw_when_sold_out:
        return "It is drawn when all numbers are sold. "
    if raffle.draw_at is None:
        return ""
    at, zone = raffle.draw_at, raffle.time_zone
    has_year = formatting.is_in_other_year(at, now=timezone.now(), time_zone=zone)
    return f"Draw: {formatting.format_day_and_time(at, time_zone=zone, has_year=has_year)}. "


def _render_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    return render(request, "raffles/cash_sale.html", admin.site.each_context(request) | context)
