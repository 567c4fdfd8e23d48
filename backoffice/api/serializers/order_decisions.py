"""What the body of a request may carry, checked before anything is done."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from shared.core import enums
from shared.core.constants import MAX_NOTE_LENGTH
from shared.core.enums import RejectReason

_AMOUNT_PATTERN: Final = re.compile(r"\d{1,12}(\.\d{0,2})?")
_MAX_LIST_LENGTH: Final = 200
"""Payment proofs or ticket numbers that one request names."""

IGNORED_FIELDS: Final = frozenset({"csrfmiddlewaretoken"})
"""What Django's own forms carry beside their fields."""


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "pattern": r"^\d{1,12}(\.\d{0,2})?$"},
            {"type": "number", "minimum": 0, "maximum": 10**9, "multipleOf": 0.01},
        ],
        "examples": ["150.00"],
    }
)
class AmountField(serializers.DecimalField):
    """Money as text or as a number, spelt plainly: neither 1e2 nor 1,000.00."""

    default_error_messages: ClassVar = {"invalid": "Write it as 150.00: two decimals at most."}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=14, decimal_places=2, **options)

    def validate_empty_values(self, data: Any) -> Any:
        """Take null for nothing and an empty text for a mistake: it would not be compared."""
        if isinstance(data, str) and not data.strip():
            self.fail("invalid")
        return super().validate_empty_values(data)

    def to_internal_value(self, data: Any) -> Any:
        """Give the amount.

        Raises:
            ValidationError: it is negative, malformed or has fractions of a cent.

        """
        written = str(data).strip()
        if isinstance(data, bool) or not (written.isascii() and _AMOUNT_PATTERN.fullmatch(written)):
            self.fail("invalid")
        return super().to_internal_value(written)


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "pattern": "^[0-9]{1,7}$"},
            {"type": "integer", "minimum": 0, "maximum": 9_999_999},
        ]
    }
)
class TicketNumberField(serializers.IntegerField):
    """A ticket number, with or without its zeros."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=9_999_999, **options)


class ProofIdsField(serializers.ListField):
    """Ids of payment proofs."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
            required=False,
            allow_null=True,
            max_length=_MAX_LIST_LENGTH,
            help_text="Ids of the payment proofs that were looked at; refused if another one waits."
            " Absent: whoever decides saw the money.",
            **options,
        )


class OptionalTextField(serializers.CharField):
    """A few words, which may be absent, null or empty."""

    def __init__(self, *, max_length: int = MAX_NOTE_LENGTH, **options: Any) -> None:
        super().__init__(
            required=False,
            allow_null=True,
            allow_blank=True,
            default="",
            max_length=max_length,
            **options,
        )

    def validate_empty_values(self, data: Any) -> Any:
        """Take null for nothing."""
        return super().validate_empty_values("" if data is None else data)


class StrictSerializer(serializers.Serializer[Any]):
    """A body of known fields and no others: a typo in an optional one must not be silent.

    Attributes:
        rules: what the schema says beside its fields, as JSON Schema.

    """

    rules: ClassVar[Mapping[str, Any]] = {}

    def to_internal_value(self, data: Any) -> Any:
        """Give what the body carries.

        Raises:
            ValidationError: with each field that is unknown, missing or malformed.

        """
        if isinstance(data, Mapping):
            unknown = [
                name for name in data if name not in self.fields and name not in IGNORED_FIELDS
            ]
            if unknown:
                raise serializers.ValidationError(
                    {name: ["There is no such field."] for name in unknown}
                )
        return super().to_internal_value(data)


class ConfirmationSerializer(StrictSerializer):
    """Body of confirm-payment; everything is optional."""

    amount = AmountField(
        required=False,
        allow_null=True,
        help_text="What arrived, in the order's currency; compared with its total.",
    )
    accept_difference = serializers.BooleanField(
        default=False,
        allow_null=True,
        help_text="Confirm although another amount arrived; the history says so.",
    )
    reference = OptionalTextField(max_length=120, help_text="The bank's, for the order's history.")
    proofs = ProofIdsField()
    note = OptionalTextField(help_text="For the order's history; the buyer does not read it.")


class CancellationSerializer(StrictSerializer):
    """Body of cancel; everything is optional."""

    reason = OptionalTextField(help_text="Why; the buyer reads it too.")
    proofs = ProofIdsField()


class RejectionSerializer(StrictSerializer):
    """Body of reject-payment."""

    reason = serializers.ChoiceField(
        choices=enums.build_choices(RejectReason), help_text="What is wrong; the buyer is told."
    )
    note = OptionalTextField(help_text="More about it, needed with OTHER; the buyer reads it too.")
    proofs = ProofIdsField()
    rules = {
        "if": {"properties": {"reason": {"const": RejectReason.OTHER.value}}},
        "then": {
            "properties": {"note": {"type": "string", "pattern": "\\S"}},
            "required": ["note"],
        },
    }

    def validate(self, attrs: Any) -> Any:
        """Refuse another reason than the listed ones if it is not said."""
        if attrs["reason"] == RejectReason.OTHER and not attrs["note"]:
            raise serializers.ValidationError({"note": ["Say in a few words what is wrong."]})
        return attrs


class ResolutionSerializer(StrictSerializer):
    """Body of resolve-late."""

    decision = serializers.ChoiceField(
        choices=["take_back", "replace", "refund"],
        help_text="take_back: the old numbers, now that they are free again. replace: other"
        " numbers at the same price. refund: note that the money goes back.",
    )
    numbers = serializers.ListField(
        child=TicketNumberField(),
        required=False,
        allow_null=True,
        min_length=1,
        max_length=_MAX_LIST_LENGTH,
        help_text="With replace: all the numbers the order gets. Absent: the old ones that are"
        " free, and random ones for the rest.",
    )
    note = OptionalTextField(
        help_text="For the order's history; of a refund the buyer reads it too."
    )
    proofs = ProofIdsField()
    rules = {
        "if": {"properties": {"decision": {"enum": ["take_back", "refund"]}}},
        "then": {"properties": {"numbers": {"type": "null"}}},
    }

    def validate(self, attrs: Any) -> Any:
        """Refuse numbers where nothing is replaced."""
        if attrs.get("numbers") is not None and attrs["decision"] != "replace":
            raise serializers.ValidationError({"numbers": ["Numbers go with replace alone."]})
        return attrs


def validate_body(serializer: Any) -> dict[str, Any]:
    """Give what a request carries.

    Raises:
        ValidationError: some of it is missing or malformed.

    """
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values
