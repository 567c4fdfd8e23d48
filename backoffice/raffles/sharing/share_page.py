"""Page of a raffle's link, with its files and with the sales by source."""

from dataclasses import dataclass
from typing import Final

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from backoffice.orders import source_labels
from backoffice.raffles import status
from backoffice.raffles.sharing import share_links
from backoffice.raffles.sharing.share_links import ShareLink
from backoffice.ui import file_responses
from backoffice.ui.permissions import require_permission
from shared.conversation import formatting, raffle_links
from shared.core.enums import OrderSourceKind
from shared.raffles.models import Raffle
from shared.raffles.services import source_sales
from shared.raffles.services.source_sales import SourceSales
from shared.whatsapp.models import BusinessNumber

SHARE_PERMISSION: Final = "raffles.view_raffle"
SALES_PERMISSION: Final = "raffles.view_order"

MAX_SOURCES_SHOWN: Final = 30
"""Sources with a row of their own; anybody may write a word into a link, so there may be many."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """Sales of a source; `address` leads to its link, if it is one of the seller's."""

    label: str
    orders: int
    paid_orders: int
    paid: str
    address: str = ""


class LinkSourceForm(forms.Form):
    """The word that tells a link apart, and the business number if there are several."""

    source = forms.CharField(
        label="Where will this link be?",
        required=False,
        max_length=60,
        help_text="One word, such as poster, instagram or radio. It is part of the text that "
        "buyers send, and stands with their orders.",
        widget=forms.TextInput(
            attrs={"class": "form-control", "autocomplete": "off", "placeholder": "poster"}
        ),
    )
    number = forms.ChoiceField(
        label="Business number",
        required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def __init__(self, *args: object, numbers: list[BusinessNumber], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if len(numbers) > 1:
            choices = [(number.phone_number_id, str(number)) for number in numbers]
            self.fields["number"].choices = choices  # type: ignore[attr-defined]
        else:
            del self.fields["number"]

    def clean_source(self) -> str:
        """Return the word as links contain it."""
        word: str = self.cleaned_data["source"]
        source = raffle_links.normalise_source(word)
        if word.strip() and not source:
            raise forms.ValidationError("Use letters from a to z, or digits.")
        return source


@require_GET
def share_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Show the link of a raffle, and how to get one if the phone number is not known yet."""
    require_permission(request, SHARE_PERMISSION)
    raffle = get_object_or_404(Raffle, pk=raffle_id)
    numbers = share_links.list_business_numbers(raffle)
    form = LinkSourceForm(request.GET or None, numbers=numbers)
    values = form.cleaned_data if form.is_valid() else {}
    link = None
    if numbers:
        link = share_links.build_share_link(
            raffle,
            numbers,
            number_id=values.get("number", ""),
            source=values.get("source", ""),
        )
    context = {
        "raffle": raffle,
        "title": f"Share {raffle}",
        "form": form,
        "link": link,
        "no_sale": status.describe_no_sale(raffle, now=timezone.now()),
        "sources": _build_source_rows(raffle) if request.user.has_perm(SALES_PERMISSION) else None,
    }
    return render(request, "raffles/sharing/share.html", admin.site.each_context(request) | context)


@require_GET
def qr_svg_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Return the QR code of a link as an SVG."""
    link = _load_link(request, raffle_id)
    return _build_file_response(
        share_links.render_qr_svg(link), kind="image/svg+xml", name=f"{link.file_name}.svg"
    )


@require_GET
def qr_png_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Return the QR code of a link as a PNG."""
    link = _load_link(request, raffle_id)
    return _build_file_response(
        share_links.render_qr_png(link), kind="image/png", name=f"{link.file_name}.png"
    )


@require_GET
def poster_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Show a poster of one page to be printed."""
    link = _load_link(request, raffle_id)
    raffle = link.raffle
    context = {
        "raffle": raffle,
        "link": link,
        "price": formatting.format_money(raffle.price, raffle.currency) if raffle.price else "",
        "draw": _describe_draw(raffle),
        "title": f"Poster of {raffle}",
        "back": reverse("admin:desk_share", args=[raffle.pk]) + link.query,
    }
    return render(
        request, "raffles/sharing/poster.html", admin.site.each_context(request) | context
    )


def _load_link(request: HttpRequest, raffle_id: int) -> ShareLink:
    """Return the link that the address of a file names.

    Raises:
        PermissionDenied: The user may not see raffles.
        Http404: There is no such raffle, or no phone number is known.

    """
    require_permission(request, SHARE_PERMISSION)
    raffle = get_object_or_404(Raffle, pk=raffle_id)
    numbers = share_links.list_business_numbers(raffle)
    if not numbers:
        raise Http404("The phone number of the business number is not known yet.")
    return share_links.build_share_link(
        raffle,
        numbers,
        number_id=request.GET.get("number", ""),
        source=request.GET.get("source", ""),
    )


def _build_file_response(content: bytes, *, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = file_responses.PICTURE_CSP
    return response


def _describe_draw(raffle: Raffle) -> str:
    """Return the time of the draw for people who see a poster; empty if it is not known."""
    if raffle.draw_when_sold_out:
        return "When all numbers are sold"
    if raffle.draw_at is None:
        return ""
    zone = raffle.time_zone
    moment = formatting.format_day_and_time(raffle.draw_at, time_zone=zone, has_year=True)
    return f"{moment} ({zone.replace('_', ' ')})"


def _build_source_rows(raffle: Raffle) -> list[SourceRow]:
    sales = source_sales.load_sales_by_source(raffle)
    rows = [_build_source_row(each, raffle) for each in sales[:MAX_SOURCES_SHOWN]]
    if others := sales[MAX_SOURCES_SHOWN:]:
        rows.append(
            SourceRow(
                f"{len(others)} others",
                sum(each.orders for each in others),
                sum(each.paid_orders for each in others),
                formatting.format_money(
                    sum((each.paid for each in others), start=others[0].paid * 0), raffle.currency
                ),
            )
        )
    return rows


def _build_source_row(sales: SourceSales, raffle: Raffle) -> SourceRow:
    source = sales.source
    is_own_link = source is not None and source.kind is OrderSourceKind.LINK and source.name
    return SourceRow(
        label=source_labels.describe_source(source) or "No link or ad",
        orders=sales.orders,
        paid_orders=sales.paid_orders,
        paid=formatting.format_money(sales.paid, raffle.currency),
        address=f"?source={source.name}" if source is not None and is_own_link else "",
    )
