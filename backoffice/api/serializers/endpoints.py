"""Serializers of request bodies about endpoints."""

from rest_framework import serializers

from backoffice.api.serializers.order_decisions import OptionalTextField, StrictSerializer
from shared.core import enums
from shared.core.enums import EventType


class NewEndpointSerializer(StrictSerializer):
    """Body that makes an endpoint."""

    name = serializers.CharField(max_length=60, help_text="What people call it, e.g. n8n.")
    url = serializers.CharField(
        max_length=500, help_text="Where events are sent, e.g. n8n's production URL."
    )
    types = serializers.ListField(
        child=serializers.ChoiceField(choices=enums.build_choices(EventType)),
        required=False,
        allow_null=True,
        default=list,
        help_text="Which events it wants; none named: all, also those that future versions add.",
    )
    header_name = OptionalTextField(
        max_length=60, help_text="Of a fixed header that is sent along, e.g. X-N8N-Key."
    )
    header_value = OptionalTextField(help_text="What that header says; it is never shown again.")
    secret = OptionalTextField(
        max_length=100,
        help_text="To sign with a secret that exists already: whsec_ and 24 to 64 bytes in Base64. "
        "Absent: a fresh one is made.",
    )


class EndpointChangeSerializer(StrictSerializer):
    """Body that switches an endpoint on or off."""

    active = serializers.BooleanField(help_text="Whether events are sent there.")
