"""Form of a new API token."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from backoffice.automation.token_labels import SCOPE_LABELS
from shared.core.enums import Scope
from shared.core.errors import DomainError


class TokenForm(forms.Form):
    """Name, scope and expiry of a new token."""

    name = forms.CharField(
        label="Name",
        max_length=60,
        help_text="Who uses it, e.g. n8n. Histories of orders show it.",
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    scope = forms.ChoiceField(
        label="What it may do",
        choices=[(str(scope), name) for scope, (name, _) in SCOPE_LABELS.items()],
        initial=Scope.REVIEW,
        widget=forms.RadioSelect,
    )
    until = forms.DateField(
        label="Good until",
        required=False,
        widget=forms.DateInput(attrs={"class": "form-control", "type": "date"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = settings.TIME_ZONE.replace("_", " ")
        self.fields[
            "until"
        ].help_text = f"The last day it works, by the clock of {zone}. Empty: until you revoke it."

    def choices(self) -> list[tuple[Any, str]]:
        """Return each scope's radio button with its description."""
        descriptions = [description for _, description in SCOPE_LABELS.values()]
        return list(zip(self["scope"], descriptions, strict=True))

    def clean_until(self) -> date | None:
        """Reject a day in the past."""
        until: date | None = self.cleaned_data["until"]
        if until is not None and until < timezone.localdate():
            raise ValidationError("That day is over already.")
        return until

    def add_refusal(self, refusal: DomainError) -> None:
        """Add the error to the field that caused it."""
        self.add_error("name" if refusal.code == "token_name_taken" else None, refusal.message())

    @property
    def expires_at(self) -> datetime | None:
        """The end of the chosen day in the configured time zone; None if it never expires."""
        until: date | None = self.cleaned_data["until"]
        if until is None:
            return None
        zone = ZoneInfo(settings.TIME_ZONE)
        return datetime.combine(until + timedelta(days=1), time.min, tzinfo=zone)
