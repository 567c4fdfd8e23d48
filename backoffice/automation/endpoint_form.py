"""Form of an endpoint."""

from typing import Any, Final

from django import forms

from backoffice.automation import event_labels
from shared.core.errors import DomainError
from shared.events.models import EventEndpoint

_FIELD_BY_ERROR_CODE: Final = {
    "address_malformed": "url",
    "address_private": "url",
    "address_refused": "url",
    "endpoint_name_taken": "name",
    "header_refused": "header_name",
    "event_type_unknown": "types",
}
"""The field at which an error is shown, by error code."""


class EndpointForm(forms.Form):
    """An address that receives events."""

    name = forms.CharField(
        label="Name", max_length=60, help_text="What you call it, e.g. n8n: new proofs."
    )
    url = forms.CharField(
        label="Address",
        max_length=500,
        help_text="Where events are sent, e.g. the production URL of n8n's Webhook node.",
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
    )
    types = forms.MultipleChoiceField(
        label="Which events",
        required=False,
        choices=[(str(type_), label) for type_, label in event_labels.EVENT_TYPE_LABELS.items()],
        help_text="None ticked: all of them, also those that future versions add.",
        widget=forms.CheckboxSelectMultiple,
    )
    header_name = forms.CharField(
        label="Fixed header",
        required=False,
        max_length=60,
        help_text="Sent along with each event, for n8n's Header Auth, e.g. X-N8N-Key.",
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )
    header_value = forms.CharField(
        label="Its value",
        required=False,
        max_length=500,
        help_text="Whoever knows it can pretend to be us; make it long.",
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if name != "types":
                field.widget.attrs |= {"class": "form-control", "autocomplete": "off"}

    def add_refusal(self, refusal: DomainError) -> None:
        """Add the error to the field that caused it."""
        self.add_error(_FIELD_BY_ERROR_CODE.get(refusal.code), refusal.message())


def build_initial_values(endpoint: EventEndpoint) -> dict[str, Any]:
    """Return the initial values of an existing endpoint's form."""
    return {name: getattr(endpoint, name) for name in EndpointForm.base_fields}
