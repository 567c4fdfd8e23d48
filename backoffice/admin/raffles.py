"""Raffles: their terms in a form, their life in buttons."""
# ruff: noqa: ARG002 - Django gives these arguments

from typing import Any, ClassVar, Final
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from backoffice import files, words
from backoffice.admin import filters
from backoffice.desk import life
from shared.core.enums import RaffleStatus
from shared.raffles.models import Raffle, TicketNumber

_PICTURE_LIMIT: Final = 5 * 1024 * 1024
"""Meta's limit for an image, in bytes ("Supported media types")."""

_NUMBER_FIELDS: Final = ("number_count", "first_number", "number_width")


class RaffleForm(forms.ModelForm):
    """The terms of a raffle, checked together."""

    def clean(self) -> dict[str, Any]:
        """Say in plain words what does not fit together; the database would refuse it too."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        least, most = values.get("min_per_order"), values.get("max_per_order")
        if least and most and least > most:
            self.add_error("max_per_order", "At least as many as the fewest per order.")
        per_buyer = values.get("max_per_contact")
        if least and per_buyer is not None and per_buyer < least:
            self.add_error("max_per_contact", "At least as many as the fewest per order.")
        opens, closes = values.get("sales_open_at"), values.get("sales_close_at")
        if opens and closes and closes <= opens:
            self.add_error("sales_close_at", "After the opening of sales.")
        return values

    def clean_picture(self) -> Any:
        """Take what WhatsApp shows: JPEG or PNG of at most 5 MB."""
        picture = self.cleaned_data.get("picture")
        if picture and "picture" in self.changed_data:
            if picture.size > _PICTURE_LIMIT:
                raise ValidationError("WhatsApp shows pictures of at most 5 MB.")
            if getattr(picture, "content_type", "") not in {"image/jpeg", "image/png"}:
                raise ValidationError("WhatsApp shows JPEG and PNG pictures only.")
        return picture


@admin.register(Raffle)
class RaffleAdmin(admin.ModelAdmin):
    """Raffles; the status changes by buttons alone, and none is ever deleted."""

    form = RaffleForm
    list_display = ("title", "prize", "state", "price_each", "number_count", "draw")
    list_filter = (filters.ByRaffleStatus,)
    search_fields: ClassVar[tuple[str, ...]] = ("title", "prize")
    list_per_page = 50
    actions: Any = None
    change_form_template = "admin/raffles/raffle/change_form.html"
    fieldsets = (
        ("What can be won", {"fields": ("title", "prize", "description", "picture")}),
        (
            "Numbers and price",
            {"fields": ("number_count", "first_number", "number_width", "price", "currency")},
        ),
        (
            "How they are sold",
            {"fields": ("min_per_order", "max_per_order", "max_per_contact", "hold_minutes")},
        ),
        (
            "When",
            {
                "fields": ("time_zone", "sales_open_at", "sales_close_at", "draw_at"),
                "description": "Dates and times below are in this raffle's time zone.",
            },
        ),
        (
            "Paying and asking",
            {"fields": ("payment_instructions", "seller_contact", "phone_number_id")},
        ),
    )

    @admin.display(description="Status", ordering="status")
    def state(self, raffle: Raffle) -> SafeString:
        """Give the status as a badge."""
        return life.badge(raffle)

    @admin.display(description="Price", ordering="price")
    def price_each(self, raffle: Raffle) -> str:
        """Price of one number."""
        return f"{raffle.price} {raffle.currency}"

    @admin.display(description="Draw (raffle's time)", ordering="draw_at")
    def draw(self, raffle: Raffle) -> str:
        """When, in the raffle's time zone."""
        return words.clock(raffle.draw_at, zone=raffle.time_zone)

    def has_delete_permission(self, request: HttpRequest, obj: Raffle | None = None) -> bool:
        """Refuse: money hangs on it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Raffle | None = None) -> bool:
        """Refuse once it is drawn: then nothing changes any more."""
        drawn = obj is not None and obj.status == RaffleStatus.DRAWN
        return not drawn and super().has_change_permission(request, obj)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Raffle | None = None
    ) -> tuple[str, ...]:
        """Freeze what the numbers were made from."""
        made = obj is not None and TicketNumber.objects.filter(raffle=obj).exists()
        return _NUMBER_FIELDS if made else ()

    def save_model(self, request: HttpRequest, obj: Raffle, form: Any, change: bool) -> None:
        """Write only what was changed, so that a status changed meanwhile is not put back."""
        if change:
            obj.save(update_fields=[*form.changed_data, "updated_at"])
        else:
            obj.save()

    def response_post_save_add(self, request: HttpRequest, obj: Raffle) -> Any:
        """Lead to the raffle's page, where its numbers are made next."""
        return redirect("admin:raffles_raffle_change", obj.pk)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Read and show times in the raffle's own time zone."""
        with timezone.override(_zone(request, object_id)):
            response = super().changeform_view(request, object_id, form_url, extra_context)
            return response.render() if isinstance(response, TemplateResponse) else response

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Add the status, the counts and the buttons that fit."""
        context["show_save_and_add_another"] = False
        if raffle := kwargs.get("obj"):
            context["life"] = life.life_of(raffle, request=request, now=timezone.now())
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        """Add an address for each step of a raffle's life."""
        view = self.admin_site.admin_view
        return [
            path(
                f"<int:raffle_id>/{name}/",
                view(step),
                name=f"raffles_raffle_{name}",
            )
            for name, step in (
                ("generate", life.generate_numbers),
                ("open", life.open_sales),
                ("pause", life.pause_sales),
                ("close", life.close_sales),
                ("picture", picture),
            )
        ] + super().get_urls()


def picture(request: HttpRequest, raffle_id: int) -> HttpResponseBase:
    """Send the raffle's picture to staff."""
    if not request.user.has_perm("raffles.view_raffle"):
        raise PermissionDenied
    raffle = get_object_or_404(Raffle, pk=raffle_id)
    name = raffle.picture.name or ""
    kind = "image/png" if name.lower().endswith(".png") else "image/jpeg"
    return files.send(raffle.picture, content_type=kind, name=f"raffle-{raffle.pk}")


def _zone(request: HttpRequest, object_id: str | None) -> str:
    """Give the time zone that the form's times are in: the one it sends, else the stored one."""
    wanted = request.POST.get("time_zone", "")
    if wanted not in available_timezones() and object_id and object_id.isdecimal():
        stored = Raffle.objects.filter(pk=int(object_id)).values_list("time_zone", flat=True)
        wanted = stored.first() or ""
    return wanted if wanted in available_timezones() else "UTC"
