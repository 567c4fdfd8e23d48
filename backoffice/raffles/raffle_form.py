"""Form of a raffle: labels, initial values and validation."""

from contextlib import suppress
from typing import Any, ClassVar, Final

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from backoffice.raffles import frozen_fields
from backoffice.raffles.picture_field import MAX_PICTURE_BYTES
from backoffice.raffles.price_question import (
    PriceQuestion,
    build_price_question,
    format_confirmed_price,
)
from shared.conversation import formatting
from shared.raffles.models import Raffle
from shared.raffles.validators import load_time_zones
from shared.whatsapp.models import BusinessNumber

FIELDS_CARRIED_OVER: Final = (
    "currency",
    "payment_instructions",
    "seller_contact",
    "phone_number_id",
)
"""Fields that a new raffle copies from the previous one."""

_NO_CHOICE: Final = "UTC"
"""The time zone of an installation that has configured none."""

FIELDSETS: Final[Any] = (
    (
        "What can be won",
        {
            "fields": ("title", "prize", "description", "picture"),
            "description": "Buyers read this on the card in WhatsApp.",
        },
    ),
    (
        "Numbers and price",
        {
            "fields": (("number_count", "first_number"), ("price", "currency"), "number_width"),
        },
    ),
    (
        "How they are sold",
        {
            "fields": (("min_per_order", "max_per_order"), ("max_per_contact", "hold_minutes")),
        },
    ),
    (
        "When",
        {
            "fields": (
                "time_zone",
                ("draw_at", "draw_when_sold_out"),
                ("sales_open_at", "sales_close_at"),
            ),
            "description": "Dates and times are in this raffle's time zone.",
        },
    ),
    (
        "Paying and asking",
        {
            "fields": ("payment_instructions", "seller_contact", "phone_number_id"),
        },
    ),
)


class LocalDateTimeInput(forms.DateTimeInput):
    """A browser's date and time picker, which has no time zone."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class RaffleForm(forms.ModelForm):
    """Terms of a raffle; some are read-only once numbers or orders exist, or it was opened.

    Saving the form confirms the time zone, which the form shows.
    """

    price_confirmed = forms.BooleanField(required=False, label="Price of one number")
    price_question: PriceQuestion | None = None
    max_picture_bytes: ClassVar[int] = MAX_PICTURE_BYTES

    @property
    def changed_data(self) -> list[str]:
        """The names of the model's fields that the submitted form changes."""
        return [name for name in super().changed_data if name != "price_confirmed"]

    class Meta:
        """Labels and help texts."""

        labels: ClassVar = {
            "number_count": "How many numbers",
            "first_number": "First number",
            "number_width": "Digits",
            "price": "Price of one number",
            "min_per_order": "Fewest in one order",
            "max_per_order": "Most in one order",
            "max_per_contact": "Most for one buyer",
            "hold_minutes": "Minutes a hold lasts",
            "draw_at": "Draw",
            "draw_when_sold_out": "No date: drawn when sold out",
            "sales_open_at": "Sales begin",
            "sales_close_at": "Sales end",
            "payment_instructions": "How to pay",
            "seller_contact": "Whom buyers can ask",
            "phone_number_id": "Sold from",
        }
        help_texts: ClassVar = {
            "title": "E.g. Summer Raffle.",
            "prize": "Goes on after “win”, e.g. a motorbike. More prizes, promoter, permit and age "
            "stand under “Rules of the draw” once the raffle is saved.",
            "description": "One or two sentences below the title. May stay empty.",
            "picture": "JPEG or PNG, at most 5 MB. For this back office; the card has words only.",
            "number_count": "Up to 1,000,000. Cannot change once they are made.",
            "first_number": "0 for 00 to 99, 1 for 001 to 100.",
            "number_width": "0 writes as many digits as the last number needs.",
            "price": "",
            "currency": "Three letters, e.g. USD.",
            "max_per_contact": "Held and bought together. Empty: no limit.",
            "hold_minutes": "So long numbers wait for the buyer, and then for the payment.",
            "time_zone": "E.g. America/Bogota. All times of this raffle are in it.",
            "draw_at": "Buyers read it on the card. May stay empty until you open the raffle.",
            "draw_when_sold_out": "",
            "sales_open_at": "Empty: as soon as you open it.",
            "sales_close_at": "Empty: an hour before the draw.",
            "payment_instructions": "Bank, account, name. The amount and the order's code are "
            "added by themselves.",
            "seller_contact": "A person: name and phone number.",
            "phone_number_id": "The WhatsApp number that offers this raffle.",
        }
        widgets: ClassVar = {
            "description": forms.Textarea(attrs={"rows": 2}),
            "picture": forms.ClearableFileInput(
                attrs={"accept": "image/jpeg,image/png", "data-max-bytes": MAX_PICTURE_BYTES}
            ),
            "first_number": forms.RadioSelect(choices=[(1, "1"), (0, "0")]),
            "price": forms.NumberInput(attrs={"step": "0.01", "min": "0", "inputmode": "decimal"}),
            "currency": forms.TextInput(attrs={"autocapitalize": "characters", "size": 5}),
            "time_zone": forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}),
            "payment_instructions": forms.Textarea(attrs={"rows": 3}),
            # With this attribute, Jazzmin does not replace the list by its own search box.
            "phone_number_id": forms.Select(attrs={"data-autocomplete-light-function": "select2"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        frozen = frozen_fields.explain_frozen_fields(self.instance, now=timezone.now())
        for name, field in self.fields.items():
            field.error_messages["required"] = "Please fill this in."
            field.disabled = name in frozen
            field.help_text = frozen.get(name, field.help_text)
            _add_bootstrap_class(field)
        self._offer_business_numbers()
        self._explain_price()

    def _offer_business_numbers(self) -> None:
        field = self.fields.get("phone_number_id")
        if field is None:
            return
        known = BusinessNumber.objects.values_list("phone_number_id", "display_phone_number")
        offered = {key: display or key for key, display in known[:50]}
        current = self.instance.phone_number_id
        if current:
            offered.setdefault(current, current)
        field.widget.choices = [("", "Every number"), *offered.items()]

    def _explain_price(self) -> None:
        """Add a help text to the price: existing orders keep theirs."""
        if "price" in self.fields and frozen_fields.has_orders(self.instance):
            kept = formatting.format_money(self.instance.price, self.instance.currency)
            self.fields["price"].help_text = f"For new orders; existing orders keep {kept}."

    def clean(self) -> dict[str, Any]:
        """Check the fields that depend on each other; the database has the same constraints."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        least, most = values.get("min_per_order"), values.get("max_per_order")
        if least and most and least > most:
            self.add_error("max_per_order", "At least as many as the fewest in one order.")
        per_buyer = values.get("max_per_contact")
        if least and per_buyer is not None and per_buyer < least:
            self.add_error("max_per_contact", "At least as many as the fewest in one order.")
        self._clean_times(values)
        self._clean_price_question(values)
        return values

    def _clean_times(self, values: dict[str, Any]) -> None:
        draw = values.get("draw_at")
        opens, closes = values.get("sales_open_at"), values.get("sales_close_at")
        if draw and values.get("draw_when_sold_out"):
            self.add_error("draw_when_sold_out", "Either a date or this: please clear one of them.")
        if opens and closes and closes <= opens:
            self.add_error("sales_close_at", "After the beginning of sales.")
        elif draw and closes and closes > draw:
            self.add_error("sales_close_at", "Not after the draw.")

    def _clean_price_question(self, values: dict[str, Any]) -> None:
        """Ask about an unusual price; the checkbox confirms the price that it was shown with."""
        price = values.get("price")
        if price is None or "price" not in self.changed_data:
            return
        currency = values.get("currency") or self.instance.currency
        self.price_question = build_price_question(price, currency=currency)
        if self.price_question is None:
            return
        field, name = self.fields["price_confirmed"], self.add_prefix("price_confirmed")
        field.widget.attrs["value"] = confirmed = format_confirmed_price(price)
        if self.data.get(name) != confirmed:
            self.data = {key: value for key, value in self.data.items() if key != name}
            self.add_error("price_confirmed", self.price_question.question)

    def _post_clean(self) -> None:
        """Ask for the picture again if the form has errors, because browsers do not keep files."""
        super()._post_clean()  # type: ignore[misc]
        self.instance.time_zone_confirmed = True
        if self.errors and "picture" not in self.errors and self.files.get("picture"):
            self.add_error("picture", "Please choose the picture once more; the browser forgot it.")

    def clean_currency(self) -> str:
        """Return the currency in capital letters."""
        return str(self.cleaned_data["currency"]).upper()

    def clean_picture(self) -> Any:
        """Return the picture if WhatsApp supports it: JPEG or PNG of at most 5 MB."""
        picture = self.cleaned_data.get("picture")
        if picture and "picture" in self.changed_data:
            if picture.size > MAX_PICTURE_BYTES:
                raise ValidationError("WhatsApp shows pictures of at most 5 MB.")
            if getattr(picture, "content_type", "") not in {"image/jpeg", "image/png"}:
                raise ValidationError("WhatsApp shows JPEG and PNG pictures only.")
        return picture


def build_initial_values() -> dict[str, Any]:
    """Return the first values of a new raffle's form, some copied from the newest raffle.

    The time zone stays empty unless a person chose one before: UTC is nobody's default.
    """
    last = Raffle.objects.values(*FIELDS_CARRIED_OVER).order_by("-id").first()
    chosen = Raffle.objects.filter(time_zone_confirmed=True).order_by("-id")
    zone = chosen.values_list("time_zone", flat=True).first()
    configured = settings.TIME_ZONE if settings.TIME_ZONE != _NO_CHOICE else ""
    return {"number_count": 100, **(last or {}), "time_zone": zone or configured}


def list_time_zones() -> list[str]:
    """Return the time zones that are named after places, and UTC."""
    places = {zone for zone in load_time_zones() if "/" in zone and not zone.startswith("Etc/")}
    return sorted(places | {"UTC"})


def read_form_values(form: forms.ModelForm) -> dict[str, Any]:
    """Return a form's initial values, replaced by the valid values of a submitted form."""
    if form.is_bound:
        form.full_clean()
        return {**_read_initial_values(form), **form.cleaned_data}
    return _read_initial_values(form)


def _read_initial_values(form: forms.ModelForm) -> dict[str, Any]:
    """Return the initial values as the fields parse them, without invalid ones from the URL."""
    values: dict[str, Any] = {}
    for name, field in form.fields.items():
        value: Any = form.get_initial_for_field(field, name)
        if not isinstance(value, str):
            values[name] = value
            continue
        with suppress(ValidationError):
            values[name] = field.clean(value)
    return values


def _add_bootstrap_class(field: forms.Field) -> None:
    """Set Bootstrap's CSS class on an input, except on radio buttons and checkboxes."""
    widget = field.widget
    if isinstance(widget, forms.RadioSelect | forms.CheckboxInput):
        return
    kind = "form-select" if isinstance(widget, forms.Select) else "form-control"
    widget.attrs["class"] = kind
