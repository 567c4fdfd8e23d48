"""What a request may carry, checked before anything is done."""

from typing import Any

from rest_framework import serializers

from shared.core import enums
from shared.core.enums import OrderStatus


class Confirmation(serializers.Serializer[Any]):
    """Body of confirm-payment; everything is optional.

    Attributes:
        amount: what arrived, in the order's currency; compared with its total.
        accept_difference: confirm although the amount is another.
        proofs: ids of the payment proofs that were looked at; a newer one then stops it.

    """

    amount = serializers.DecimalField(
        max_digits=14, decimal_places=2, min_value=0, required=False, allow_null=True
    )
    accept_difference = serializers.BooleanField(default=False)
    proofs = serializers.ListField(
        child=serializers.IntegerField(min_value=1), required=False, allow_null=True, max_length=200
    )


class Cancellation(serializers.Serializer[Any]):
    """Body of cancel."""

    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class OrderQuery(serializers.Serializer[Any]):
    """Which orders are listed."""

    status = serializers.ChoiceField(choices=enums.choices(OrderStatus), required=False)
    raffle = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    under_review = serializers.BooleanField(required=False, allow_null=True, default=None)
    needs_decision = serializers.BooleanField(required=False, allow_null=True, default=None)


def checked(serializer: Any) -> dict[str, Any]:
    """Give what a request carries.

    Raises:
        ValidationError: some of it is missing or malformed.

    """
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values
