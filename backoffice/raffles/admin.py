"""Raffles: their terms in a form with a preview, their life in buttons."""
# ruff: noqa: ARG002 - Django gives these arguments

from typing import Any, ClassVar, Final

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import connection, models
from django.db.models import Exists, OuterRef, QuerySet
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from backoffice.changelists.search import BoundedSearch
from backoffice.raffles import chat_preview, lifecycle, number_generation, progress_bar, raffle_form
from backoffice.raffles.filters import RaffleStatusFilter
from backoffice.raffles.raffle_form import LocalDateTimeInput, RaffleForm
from backoffice.ui import display, file_responses
from shared.conversation import formatting
from shared.core.enums import RaffleStatus
from shared.raffles.models import Raffle, TicketNumber
from shared.raffles.services import availability
from shared.raffles.services.availability import TicketCounts
from shared.raffles.validators import load_time_zones

_NUMBERS_EXIST: Final = Exists(  # they are made from the first one on; looking for any reads all
    TicketNumber.objects.filter(raffle=OuterRef("pk"), number=OuterRef("first_number"))
)


class RaffleChangeList(ChangeList):
    """The list, which counts the numbers of all its raffles at once."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page's raffles, then their counts in one query."""
        super().get_results(request)
        raffles = list(self.result_list)
        counts = availability.count_tickets_by_raffle(raffles)
        for raffle in raffles:
            raffle.share = progress_bar.build_progress_bar(counts[raffle.pk])
        self.result_list = raffles


@admin.register(Raffle)
class RaffleAdmin(BoundedSearch):
    """Raffles; the status changes by buttons alone, and none is ever deleted."""

    form = RaffleForm
    fieldsets = raffle_form.FIELDSETS
    formfield_overrides: ClassVar = {
        models.DateTimeField: {"form_class": forms.DateTimeField, "widget": LocalDateTimeInput}
    }
    list_display = ("title", "state", "sold", "price_each", "draw", "prize")
    list_filter = (RaffleStatusFilter,)
    search_fields: ClassVar[tuple[str, ...]] = ("title", "prize")
    list_per_page = 50
    show_full_result_count = False
    actions: Any = None
    change_form_template = "admin/raffles/raffle/change_form.html"
    change_list_template = "admin/raffles/raffle/change_list.html"

    @admin.display(description="Status", ordering="status")
    def state(self, raffle: Raffle) -> SafeString:
        """Give the status as a badge."""
        return lifecycle.render_status_badge(raffle)

    @admin.display(description="Sold, held, free")
    def sold(self, raffle: Any) -> str:
        """Draw the numbers as a bar."""
        if not raffle.numbers_exist:
            return format_html(
                '<span class="quiet">{} numbers, not made yet</span>', f"{raffle.number_count:,}"
            )
        return render_to_string("desk/parts/share.html", {"share": raffle.share, "short": True})

    @admin.display(description="Price", ordering="price")
    def price_each(self, raffle: Raffle) -> str:
        """Price of one number."""
        return formatting.format_money(raffle.price, raffle.currency)

    @admin.display(description="Draw (raffle's time)", ordering="draw_at")
    def draw(self, raffle: Raffle) -> str:
        """When, in the raffle's time zone."""
        return display.format_time(raffle.draw_at, zone=raffle.time_zone)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Count once for the whole page."""
        return RaffleChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Raffle]:
        """Know of each raffle whether it has numbers."""
        raffles: QuerySet[Raffle] = super().get_queryset(request)
        return raffles.annotate(numbers_exist=_NUMBERS_EXIST)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Raffle | None:
        """Keep a raffle that is being changed from getting its numbers at the same moment."""
        if request.method == "POST" and connection.in_atomic_block and object_id.isdecimal():
            rows = Raffle.objects.select_for_update(no_key=True).filter(pk=int(object_id))
            rows.values_list("pk").first()
        return super().get_object(request, object_id, from_field)

    def has_delete_permission(self, request: HttpRequest, obj: Raffle | None = None) -> bool:
        """Refuse: money hangs on it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Raffle | None = None) -> bool:
        """Refuse once it is drawn: then nothing changes any more."""
        drawn = obj is not None and obj.status == RaffleStatus.DRAWN
        return not drawn and super().has_change_permission(request, obj)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with what is most likely right."""
        return raffle_form.build_initial_values() | super().get_changeform_initial_data(request)

    def save_model(self, request: HttpRequest, obj: Raffle, form: Any, change: bool) -> None:
        """Write only what was changed, so that a status changed meanwhile is not put back."""
        if change:
            obj.save(update_fields=[*form.changed_data, "updated_at"])
        else:
            obj.save()

    def response_post_save_add(self, request: HttpRequest, obj: Raffle) -> Any:
        """Lead to the making of its numbers; who may not make them sees the raffle."""
        may = request.user.has_perm("raffles.change_raffle")
        return redirect(f"admin:raffles_raffle_{'generate' if may else 'change'}", obj.pk)

    def response_post_save_change(self, request: HttpRequest, obj: Raffle) -> Any:
        """Stay with the raffle."""
        return redirect("admin:raffles_raffle_change", obj.pk)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Read and show times in the raffle's own time zone."""
        with timezone.override(_choose_time_zone(request, object_id)):
            response = super().changeform_view(request, object_id, form_url, extra_context)
            return response.render() if isinstance(response, TemplateResponse) else response

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Add the preview, the status, the counts and the buttons that fit."""
        raffle: Raffle | None = kwargs.get("obj")
        values, free = raffle_form.read_form_values(context["adminform"].form), None
        if raffle:
            context["life"] = stands = lifecycle.load_lifecycle_panel(raffle, request=request)
            free = _count_free(raffle, stands.share.counts)
            values = {**model_to_dict(raffle), **values}  # who may only look has no fields
        context["preview"] = chat_preview.build_chat_preview(values, now=timezone.now(), free=free)
        context["zones"] = raffle_form.list_time_zones()
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        """Add an address for each step of a raffle's life, and for what its form shows."""
        view = self.admin_site.admin_view
        steps = [
            path(f"<int:raffle_id>/{name}/", view(step), name=f"raffles_raffle_{name}")
            for name, step in (
                ("generate", number_generation.generate_ticket_numbers_view),
                ("open", lifecycle.open_raffle_view),
                ("pause", lifecycle.pause_raffle_view),
                ("close", lifecycle.close_raffle_view),
                ("duplicate", lifecycle.duplicate_raffle_view),
                ("picture", raffle_picture_view),
            )
        ]
        drawn = [
            path(f"{whose}preview/", view(self.preview_view), name=f"raffles_raffle_{name}")
            for whose, name in (("", "preview"), ("<int:raffle_id>/", "preview_of"))
        ]
        return [*drawn, *steps, *super().get_urls()]

    @method_decorator(require_POST)
    def preview_view(self, request: HttpRequest, raffle_id: int | None = None) -> HttpResponse:
        """Draw the messages of what the form holds so far, be it complete or not."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        raffle = get_object_or_404(Raffle, pk=raffle_id) if raffle_id else None
        key = str(raffle_id) if raffle_id else None
        with timezone.override(_choose_time_zone(request, key)):
            form = self.get_form(request, raffle, change=raffle is not None)(
                request.POST, instance=raffle
            )
            free = _count_free(raffle, lifecycle.count_ticket_numbers(raffle)) if raffle else None
            shown = chat_preview.build_chat_preview(
                raffle_form.read_form_values(form), now=timezone.now(), free=free
            )
        return render(request, "admin/raffles/raffle/preview.html", {"preview": shown})


def raffle_picture_view(request: HttpRequest, raffle_id: int) -> HttpResponseBase:
    """Send the raffle's picture to staff."""
    if not request.user.has_perm("raffles.view_raffle"):
        raise PermissionDenied
    raffle = get_object_or_404(Raffle, pk=raffle_id)
    name = raffle.picture.name or ""
    kind = "image/png" if name.lower().endswith(".png") else "image/jpeg"
    return file_responses.build_file_response(
        raffle.picture, content_type=kind, name=f"raffle-{raffle.pk}"
    )


def _count_free(raffle: Raffle, counts: TicketCounts) -> int | None:
    """Count what is left; None while numbers are missing, for then all of them will be."""
    return counts.available if counts.total >= raffle.number_count else None


def _choose_time_zone(request: HttpRequest, object_id: str | None) -> str:
    """Give the time zone that the form's times are in: the one it sends, else the stored one."""
    wanted = request.POST.get("time_zone", "")
    if wanted not in load_time_zones() and object_id and object_id.isdecimal():
        stored = Raffle.objects.filter(pk=int(object_id)).values_list("time_zone", flat=True)
        wanted = stored.first() or ""
    return wanted if wanted in load_time_zones() else settings.TIME_ZONE
