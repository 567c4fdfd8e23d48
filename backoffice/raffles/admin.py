"""Admin of raffles: a form with a chat preview, and buttons that change the status."""
# ruff: noqa: ARG002 - Django passes these arguments

from typing import Any, ClassVar, Final

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import connection, models
from django.db.models import Exists, OuterRef, Q, QuerySet
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

from backoffice.changelists import change_messages
from backoffice.changelists.search import FoldedSearch
from backoffice.changelists.selection import BoundedSelection
from backoffice.raffles import (
    chat_preview,
    frozen_fields,
    history,
    lifecycle,
    number_generation,
    progress_bar,
    raffle_form,
    status,
)
from backoffice.raffles.filters import RaffleStatusFilter
from backoffice.raffles.last_day import call_off, move_draw, untold_buyers
from backoffice.raffles.raffle_form import LocalDateTimeInput, RaffleForm
from backoffice.ui import file_responses, ids
from backoffice.ui.permissions import require_permission
from shared.conversation import formatting
from shared.core.enums import RaffleStatus
from shared.raffles.models import Raffle, TicketNumber
from shared.raffles.services import availability, locks
from shared.raffles.services.availability import TicketCounts
from shared.raffles.services.draws import draw_rules
from shared.raffles.validators import load_time_zones

_NUMBERS_EXIST: Final = Exists(  # generated from the first one on; a search for any would read all
    TicketNumber.objects.filter(raffle=OuterRef("pk"), number=OuterRef("first_number"))
)


_FINAL_STATUSES: Final = (RaffleStatus.SEALED, RaffleStatus.DRAWN, RaffleStatus.CANCELLED)
"""Statuses after which nothing about a raffle changes any more, except refunds."""


class RaffleChangeList(ChangeList):
    """A list that counts the ticket numbers of all its raffles in one query."""

    def get_results(self, request: HttpRequest) -> None:
        """Load the page's raffles, then their counts in one query."""
        super().get_results(request)
        raffles = list(self.result_list)
        counts = availability.count_tickets_by_raffle(raffles)
        for raffle in raffles:
            raffle.share = progress_bar.build_progress_bar(counts[raffle.pk])
        self.result_list = raffles


@admin.register(Raffle)
class RaffleAdmin(BoundedSelection, FoldedSearch):
    """Raffles; only buttons change the status, and no raffle is ever deleted."""

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
        """Return the status as a badge."""
        return status.render_status_badge(raffle)

    @admin.display(description="Sold, held, free")
    def sold(self, raffle: Any) -> str:
        """Return the ticket numbers as a progress bar."""
        if not raffle.numbers_exist:
            return format_html(
                '<span class="quiet">{} numbers, not made yet</span>', f"{raffle.number_count:,}"
            )
        return render_to_string(
            "raffles/parts/progress_bar.html", {"share": raffle.share, "short": True}
        )

    @admin.display(description="Price", ordering="price")
    def price_each(self, raffle: Raffle) -> str:
        """Return the price of one ticket number."""
        return formatting.format_money(raffle.price, raffle.currency)

    @admin.display(description="Draw (raffle's time)", ordering="draw_at")
    def draw(self, raffle: Raffle) -> str:
        """Return the time of the draw in the raffle's time zone, or "When sold out"."""
        return status.describe_draw(raffle)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the change list that counts once per page."""
        return RaffleChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Raffle]:
        """Return the raffles, each with whether it has ticket numbers and lacks rules."""
        raffles: QuerySet[Raffle] = super().get_queryset(request)
        without_rules = draw_rules.query_raffles_without_rules().values("pk")
        return raffles.annotate(numbers_exist=_NUMBERS_EXIST, needs_rules=Q(pk__in=without_rules))

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Raffle | None:
        """Return the raffle; while it is being changed, lock it.

        So no numbers are generated, and no first sale freezes its rules meanwhile.
        """
        key = ids.parse_digits(object_id)
        changes = request.method == "POST" and connection.in_atomic_block
        if changes and key is not None and Raffle.objects.filter(pk=key).exists():
            locks.lock_raffle(key)  # one that exists: the lock's number is smaller than ids may be
        return super().get_object(request, object_id, from_field)

    def has_delete_permission(self, request: HttpRequest, obj: Raffle | None = None) -> bool:
        """Return False: payments refer to the raffle."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Raffle | None = None) -> bool:
        """Return whether the user may change the raffle, which ends with its sealing."""
        is_final = obj is not None and obj.status in _FINAL_STATUSES
        return not is_final and super().has_change_permission(request, obj)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return the first values of a new raffle's form."""
        return raffle_form.build_initial_values() | super().get_changeform_initial_data(request)

    def save_model(self, request: HttpRequest, obj: Raffle, form: Any, change: bool) -> None:
        """Save only the changed fields, so that a concurrent change of the status is kept."""
        if change:
            obj.save(update_fields=[*form.changed_data, "time_zone_confirmed", "updated_at"])
        else:
            obj.save()

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Return what the log says, with old and new values."""
        if add:
            return super().construct_change_message(request, form, formsets, add)
        return change_messages.describe_changes(form)

    def response_post_save_add(self, request: HttpRequest, obj: Raffle) -> Any:
        """Redirect to number generation, or to the raffle if the user may not generate numbers."""
        may_generate = request.user.has_perm("raffles.change_raffle")
        return redirect(f"admin:raffles_raffle_{'generate' if may_generate else 'change'}", obj.pk)

    def response_post_save_change(self, request: HttpRequest, obj: Raffle) -> Any:
        """Redirect to the raffle instead of the list."""
        return redirect("admin:raffles_raffle_change", obj.pk)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Parse and show times in the raffle's own time zone."""
        with timezone.override(_choose_time_zone(request, object_id)):
            response = super().changeform_view(request, object_id, form_url, extra_context)
            return response.render() if isinstance(response, TemplateResponse) else response

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Add the preview, the status, the counts and the buttons."""
        raffle: Raffle | None = kwargs.get("obj")
        values, free = raffle_form.read_form_values(context["adminform"].form), None
        if raffle:
            context["life"] = panel = lifecycle.load_lifecycle_panel(raffle, request=request)
            free = _count_free(raffle, panel.share.counts)
            values = {**model_to_dict(raffle), **values}  # a read-only page has no fields
        context["preview"] = chat_preview.build_chat_preview(values, now=timezone.now(), free=free)
        context["zones"] = raffle_form.list_time_zones()
        return super().render_change_form(request, context, *args, **kwargs)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Return the history of a raffle, with the entries of its own history."""
        raffle_id = ids.parse_digits(object_id)
        raffle = Raffle.objects.filter(pk=raffle_id).first() if raffle_id else None
        own = history.load_history(raffle) if raffle else []
        return super().history_view(
            request, object_id, {"own_history": own, **(extra_context or {})}
        )

    def get_urls(self) -> list[URLPattern]:
        """Add URLs for the steps of the lifecycle, the picture and the preview."""
        view = self.admin_site.admin_view
        steps = [
            path(
                f"<id:raffle_id>/{name.replace('_', '-')}/",
                view(step),
                name=f"raffles_raffle_{name}",
            )
            for name, step in (
                ("generate", number_generation.generate_ticket_numbers_view),
                ("open", lifecycle.open_raffle_view),
                ("pause", lifecycle.pause_raffle_view),
                ("close", lifecycle.close_raffle_view),
                ("duplicate", lifecycle.duplicate_raffle_view),
                ("move_draw", move_draw.move_draw_view),
                ("call_off", call_off.call_off_view),
                ("untold", untold_buyers.untold_buyers_view),
                ("picture", raffle_picture_view),
            )
        ]
        previews = [
            path(f"{prefix}preview/", view(self.preview_view), name=f"raffles_raffle_{name}")
            for prefix, name in (("", "preview"), ("<id:raffle_id>/", "preview_of"))
        ]
        return [*previews, *steps, *super().get_urls()]

    @method_decorator(require_POST)
    def preview_view(self, request: HttpRequest, raffle_id: int | None = None) -> HttpResponse:
        """Return the chat preview of the form as HTML, even if the form is incomplete."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        raffle = get_object_or_404(Raffle, pk=raffle_id) if raffle_id else None
        key = str(raffle_id) if raffle_id else None
        with timezone.override(_choose_time_zone(request, key)):
            form = self.get_form(request, raffle, change=raffle is not None)(
                request.POST, instance=raffle
            )
            free = _count_free(raffle, lifecycle.count_ticket_numbers(raffle)) if raffle else None
            preview = chat_preview.build_chat_preview(
                raffle_form.read_form_values(form), now=timezone.now(), free=free
            )
        return render(request, "admin/raffles/raffle/preview.html", {"preview": preview})


def raffle_picture_view(request: HttpRequest, raffle_id: int) -> HttpResponseBase:
    """Return the raffle's picture."""
    require_permission(request, "raffles.view_raffle")
    raffle = get_object_or_404(Raffle, pk=raffle_id)
    return file_responses.build_picture_response(raffle.picture, name=f"raffle-{raffle.pk}")


def _count_free(raffle: Raffle, counts: TicketCounts) -> int | None:
    """Return the free numbers; None while some are not generated, as they will be free too."""
    return counts.available if counts.total >= raffle.number_count else None


def _choose_time_zone(request: HttpRequest, object_id: str | None) -> str:
    """Return the time zone of the form's times: the submitted one, else the stored one."""
    zone = request.POST.get("time_zone", "")
    key = ids.parse_digits(object_id or "")
    raffle = Raffle.objects.filter(pk=key).first() if key is not None else None
    if raffle and (zone not in load_time_zones() or frozen_fields.is_time_zone_frozen(raffle)):
        zone = raffle.time_zone
    return zone if zone in load_time_zones() else settings.TIME_ZONE
