"""The form of a new API token, and how tokens are told to staff."""

from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from backoffice.api.models import ApiToken
from shared.core.enums import Scope
from shared.core.errors import DomainError

SCOPE_LABELS: Final = {
    Scope.READ: ("Read", "Looks at orders, proofs, raffles and events. Changes nothing."),
    Scope.REVIEW: (
        "Review",
        "Also decides about payments as a reviewer does: confirms, rejects, cancels.",
    ),
    Scope.ADMIN: (
        "Admin",
        "Also opens, pauses and closes raffles, and says where events are sent.",
    ),
}
"""What each scope is called and lets a program do; each includes the one before."""


class TokenForm(forms.Form):
    """Who uses it, what it may do, and until when."""

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
        """Give each scope's radio button with what it means."""
        says = [says for _, says in SCOPE_LABELS.values()]
        return list(zip(self["scope"], says, strict=True))

    def clean_until(self) -> date | None:
        """Want a day that is not over."""
        until: date | None = self.cleaned_data["until"]
        if until is not None and until < timezone.localdate():
            raise ValidationError("That day is over already.")
        return until

    def refuse(self, refusal: DomainError) -> None:
        """Say at the right field why nothing was made."""
        self.add_error("name" if refusal.code == "token_name_taken" else None, refusal.message())

    @property
    def expires_at(self) -> datetime | None:
        """The end of the chosen day in the installation's zone; None: never."""
        until: date | None = self.cleaned_data["until"]
        if until is None:
            return None
        zone = ZoneInfo(settings.TIME_ZONE)
        return datetime.combine(until + timedelta(days=1), time.min, tzinfo=zone)


def describe_token_state(token: ApiToken, *, now: datetime) -> tuple[str, str]:
    """Give a token's state in a word, and Bootstrap's style for it."""
    if token.revoked_at is not None:
        return "Revoked", "secondary"
    if token.expires_at is not None and token.expires_at <= now:
        return "Expired", "secondary"
    return "Works", "success"
