"""Form of an endpoint."""

from typing import Any, ClassVar

from django import forms
from django.utils.html import format_html

from backoffice.automation import event_labels
from backoffice.changelists.service_forms import ServiceForm
from shared.events.models import EventEndpoint


class EndpointForm(ServiceForm):
    """An address that receives events."""

    fields_by_error_code: ClassVar = {
        "address_malformed": "url",
        "address_private": "url",
        "address_refused": "url",
        "endpoint_name_taken": "name",
        "header_refused": "header_name",
        "event_type_unknown": "types",
    }

    url = forms.CharField(
        label="Address",
        max_length=500,
        help_text="Where events are sent, e.g. the production URL of n8n's Webhook node.",
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
    )
    types = forms.MultipleChoiceField(
        label="Which events",
        required=False,
        choices=[
            (str(type_), format_html("<span>{} <code>{}</code></span>", label, str(type_)))
            for type_, label in event_labels.EVENT_TYPE_LABELS.items()
        ],
        help_text="None ticked: all of them, also those that future versions add.",
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        """The other fields are the model's."""

        model = EventEndpoint
        fields = ("name", "url", "types", "header_name", "header_value")
        help_texts: ClassVar = {
            "name": "What you call it, e.g. n8n: new proofs.",
            "header_name": "Sent along with each event, for n8n's Header Auth, e.g. X-N8N-Key.",
            "header_value": "Whoever knows it can pretend to be us; make it long.",
        }
        widgets: ClassVar = {
            "header_name": forms.TextInput(attrs={"spellcheck": "false"}),
            "header_value": forms.TextInput(attrs={"spellcheck": "false"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if name != "types":
                field.widget.attrs |= {"class": "form-control", "autocomplete": "off"}
