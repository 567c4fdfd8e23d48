"""Form of a new API token."""

from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.html import format_html

from backoffice.api.models import ApiToken
from backoffice.automation.token_labels import SCOPE_LABELS
from backoffice.changelists.service_forms import ServiceForm
from shared.core.enums import Scope


class TokenForm(ServiceForm):
    """Name, scope and expiry of a new token."""

    fields_by_error_code: ClassVar = {"token_name_taken": "name"}

    scope = forms.ChoiceField(
        label="What it may do",
        choices=[
            (
                str(scope),
                format_html(
                    '<span><strong>{}</strong><span class="quiet d-block">{}</span></span>',
                    name,
                    description,
                ),
            )
            for scope, (name, description) in SCOPE_LABELS.items()
        ],
        initial=Scope.REVIEW,
        widget=forms.RadioSelect,
    )
    until = forms.DateField(
        label="Good until",
        required=False,
        widget=forms.DateInput(attrs={"class": "form-control", "type": "date"}),
    )

    class Meta:
        """The name is the model's."""

        model = ApiToken
        fields = ("name", "scope")
        help_texts: ClassVar = {"name": "Who uses it, e.g. n8n. Histories of orders show it."}
        widgets: ClassVar = {
            "name": forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"})
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "until" in self.fields:  # a token that exists has no form
            zone = settings.TIME_ZONE.replace("_", " ")
            self.fields[
                "until"
            ].help_text = (
                f"The last day it works, by the clock of {zone}. Empty: until you revoke it."
            )

    def clean_until(self) -> date | None:
        """Reject a day in the past."""
        until: date | None = self.cleaned_data["until"]
        if until is not None and until < timezone.localdate():
            raise ValidationError("That day is over already.")
        return until

    @property
    def expires_at(self) -> datetime | None:
        """The end of the chosen day in the configured time zone; None if it never expires."""
        until: date | None = self.cleaned_data["until"]
        if until is None:
            return None
        zone = ZoneInfo(settings.TIME_ZONE)
        return datetime.combine(until + timedelta(days=1), time.min, tzinfo=zone)
