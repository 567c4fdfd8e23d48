"""Form of a raffle: labels, initial values and validation."""

from contextlib import suppress
from typing import Any, ClassVar, Final

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from shared.conversation import formatting
from shared.core.enums import RaffleStatus
from shared.raffles.models import Raffle
from shared.raffles.validators import load_time_zones
from shared.whatsapp.models import BusinessNumber

MAX_PICTURE_BYTES: Final = 5 * 1024 * 1024
"""Meta's limit for an image, in bytes ("Supported media types")."""

FIELDS_FROZEN_BY_NUMBERS: Final = ("number_count", "first_number", "number_width")
"""Fields that the ticket numbers were generated from."""

FIELDS_CARRIED_OVER: Final = (
    "currency",
    "payment_instructions",
    "seller_contact",
    "phone_number_id",
)
"""Fields that a new raffle copies from the previous one."""

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
            "fields": ("time_zone", "draw_at", ("sales_open_at", "sales_close_at")),
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
    """Terms of a raffle; some are read-only once numbers or orders exist."""

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
            "sales_open_at": "Sales begin",
            "sales_close_at": "Sales end",
            "payment_instructions": "How to pay",
            "seller_contact": "Whom buyers can ask",
            "phone_number_id": "Sold from",
        }
        help_texts: ClassVar = {
            "title": "E.g. Summer Raffle.",
            "prize": "Goes on after “win”, e.g. a motorbike.",
            "description": "One or two sentences below the title. May stay empty.",
            "picture": "JPEG or PNG, at most 5 MB. For this back office; the card has words only.",
            "number_count": "Up to 1,000,000. Cannot change once they are made.",
            "first_number": "0 for 00 to 99, 1 for 01 to 100.",
            "number_width": "0 writes as many digits as the last number needs.",
            "price": "",
            "currency": "Three letters, e.g. USD.",
            "max_per_contact": "Held and bought together. Empty: no limit.",
            "hold_minutes": "So long numbers wait for the buyer, and then for the payment.",
            "time_zone": "E.g. America/Bogota.",
            "draw_at": "Buyers read it on the card. May stay empty until you know.",
            "sales_open_at": "Empty: as soon as you open it.",
            "sales_close_at": "Empty: until you close it.",
            "payment_instructions": "Bank, account, name. The amount and the order's code are "
            "added by themselves.",
            "seller_contact": "A person: name and phone number.",
            "phone_number_id": "The WhatsApp number that offers this raffle.",
        }
        widgets: ClassVar = {
            "description": forms.Textarea(attrs={"rows": 2}),
            "picture": forms.ClearableFileInput(attrs={"accept": "image/jpeg,image/png"}),
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
        self.has_orders = has_orders(self.instance)
        self.frozen = _list_frozen_fields(self.instance, has_orders=self.has_orders)
        for name, field in self.fields.items():
            field.error_messages["required"] = "Please fill this in."
            field.disabled = name in self.frozen
            _add_bootstrap_class(field)
        self._offer_business_numbers()
        self._explain_frozen_fields()

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

    def _explain_frozen_fields(self) -> None:
        """Explain beside a field why it is read-only, or whom a change does not affect."""
        for name in self.frozen:
            if name in self.fields:
                reason = "orders exist" if name == "currency" else "the numbers are made"
                self.fields[name].help_text = f"Cannot change any more: {reason}."
        if "price" in self.fields and self.has_orders:
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
        opens, closes = values.get("sales_open_at"), values.get("sales_close_at")
        if opens and closes and closes <= opens:
            self.add_error("sales_close_at", "After the beginning of sales.")
        return values

    def _post_clean(self) -> None:
        """Ask for the picture again if the form has errors, because browsers do not keep files."""
        super()._post_clean()  # type: ignore[misc]
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
    """Return the first values of a new raffle's form, some copied from the newest raffle."""
    last = Raffle.objects.values(*FIELDS_CARRIED_OVER).order_by("-id").first()
    return {"time_zone": settings.TIME_ZONE, "number_count": 100, **(last or {})}


def _list_frozen_fields(raffle: Raffle, *, has_orders: bool) -> tuple[str, ...]:
    """Return the fields that can no longer change."""
    if not has_ticket_numbers(raffle):
        return ()
    return (*FIELDS_FROZEN_BY_NUMBERS, "currency") if has_orders else FIELDS_FROZEN_BY_NUMBERS


def has_ticket_numbers(raffle: Raffle) -> bool:
    """Return whether any ticket number exists; every raffle except a draft has all of them."""
    if not raffle.pk:
        return False
    return raffle.status != RaffleStatus.DRAFT or raffle.numbers.exists()


def has_orders(raffle: Raffle) -> bool:
    """Return whether the raffle has any orders."""
    return bool(raffle.pk) and raffle.orders.exists()


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
    """Set Bootstrap's CSS class on an input."""
    widget = field.widget
    if isinstance(widget, forms.RadioSelect):
        return
    kind = "form-select" if isinstance(widget, forms.Select) else "form-control"
    widget.attrs["class"] = kind
