"""Serializer of the request body about a payment proof that is put to an order."""

from rest_framework import serializers

from backoffice.api.serializers.order_decisions import StrictSerializer

_MAX_REFERENCE_LENGTH = 30


class MoveSerializer(StrictSerializer):
    """Body of move."""

    order = serializers.CharField(
        max_length=_MAX_REFERENCE_LENGTH, help_text="Id or code of the order that it pays."
    )
    from_order = serializers.CharField(
        max_length=_MAX_REFERENCE_LENGTH,
        allow_null=True,
        help_text="Id or code of the order that it stands with; null: it fits no order yet.",
    )
