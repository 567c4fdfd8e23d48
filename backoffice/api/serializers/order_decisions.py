"""Serializers of request bodies about decisions, and fields for all serializers."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from backoffice.api.late_decisions import LatePaymentDecision
from backoffice.api.query_params import MAX_TICKET_NUMBER, MAX_TICKET_NUMBER_DIGITS
from backoffice.ui import ids
from shared.core import enums
from shared.core.constants import MAX_NOTE_LENGTH
from shared.core.enums import RejectReason
from shared.raffles.notes import MAX_REFERENCE_LENGTH

_AMOUNT_PATTERN: Final = re.compile(r"\d{1,12}(\.\d{0,2})?")
_MAX_LIST_LENGTH: Final = 200
"""Largest count of payment proofs or ticket numbers in one request."""

IGNORED_FIELDS: Final = frozenset({"csrfmiddlewaretoken"})
"""Fields that Django adds to forms."""


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
    """Amount of money as text or as a number, without exponents or thousands separators."""

    default_error_messages: ClassVar = {"invalid": "Write it as 150.00: two decimals at most."}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=14, decimal_places=2, **options)

    def validate_empty_values(self, data: Any) -> Any:
        """Accept null as absent but not an empty text, which would skip the comparison."""
        if isinstance(data, str) and not data.strip():
            self.fail("invalid")
        return super().validate_empty_values(data)

    def to_internal_value(self, data: Any) -> Any:
        """Return the amount as a decimal.

        Raises:
            ValidationError: the amount is negative, malformed or has fractions of a cent.

        """
        text = str(data).strip()
        if isinstance(data, bool) or not (text.isascii() and _AMOUNT_PATTERN.fullmatch(text)):
            self.fail("invalid")
        return super().to_internal_value(text)


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "pattern": f"^[0-9]{{1,{MAX_TICKET_NUMBER_DIGITS}}}$"},
            {"type": "integer", "minimum": 0, "maximum": MAX_TICKET_NUMBER},
        ]
    }
)
class TicketNumberField(serializers.IntegerField):
    """Ticket number with or without leading zeros."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=MAX_TICKET_NUMBER, **options)


class ProofIdsField(serializers.ListField):
    """Ids of the payment proofs that the caller has seen."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            child=serializers.IntegerField(min_value=1, max_value=ids.MAX_ID),
            required=False,
            allow_null=True,
            max_length=_MAX_LIST_LENGTH,
            help_text="Ids of the payment proofs that were looked at; refused if another one waits."
            " Absent: whoever decides saw the money.",
            **options,
        )


class OptionalTextField(serializers.CharField):
    """Short text that may be absent, null or empty."""

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
        """Accept null as an empty text."""
        return super().validate_empty_values("" if data is None else data)


@extend_schema_field(
    {
        "type": "string",
        "maxLength": MAX_NOTE_LENGTH,
        "pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
    }
)
class RequiredNoteField(serializers.CharField):
    """Note or reason that must be there and must not be empty."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_NOTE_LENGTH, **options)


class ConfirmationIdField(serializers.IntegerField):
    """Id of the confirmation that an undo or a refund answers."""

    def __init__(self) -> None:
        super().__init__(
            min_value=1,
            max_value=ids.MAX_ID,
            help_text="The order's `confirmation_id`: a repeat never reverses a later one.",
        )


class StrictSerializer(serializers.Serializer[Any]):
    """Serializer that rejects unknown fields, so that a misspelt optional field is an error.

    Attributes:
        schema_rules: JSON Schema keywords that the OpenAPI schema has beside the fields.

    """

    schema_rules: ClassVar[Mapping[str, Any]] = {}

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated values of a body.

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
    schema_rules = {
        "if": {"properties": {"reason": {"const": RejectReason.OTHER.value}}},
        "then": {
            "properties": {"note": {"type": "string", "pattern": "\\S"}},
            "required": ["note"],
        },
    }

    def validate(self, attrs: Any) -> Any:
        """Require a note with the reason OTHER."""
        if attrs["reason"] == RejectReason.OTHER and not attrs["note"]:
            raise serializers.ValidationError({"note": ["Say in a few words what is wrong."]})
        return attrs


class ResolutionSerializer(StrictSerializer):
    """Body of resolve-late."""

    decision = serializers.ChoiceField(
        choices=[decision.value for decision in LatePaymentDecision],
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
        help_text="For the order's history; needed with refund, whose buyer reads it too."
    )
    proofs = ProofIdsField()
    schema_rules = {
        "allOf": [
            {
                "if": {
                    "properties": {
                        "decision": {
                            "enum": [
                                decision.value
                                for decision in LatePaymentDecision
                                if decision is not LatePaymentDecision.REPLACE
                            ]
                        }
                    }
                },
                "then": {"properties": {"numbers": {"type": "null"}}},
            },
            {
                "if": {"properties": {"decision": {"const": LatePaymentDecision.REFUND.value}}},
                "then": {
                    "properties": {"note": {"type": "string", "pattern": "\\S"}},
                    "required": ["note"],
                },
            },
        ]
    }

    def validate(self, attrs: Any) -> Any:
        """Reject numbers with a decision other than `replace`, and a refund without a note."""
        if attrs.get("numbers") is not None and attrs["decision"] != LatePaymentDecision.REPLACE:
            raise serializers.ValidationError({"numbers": ["Numbers go with replace alone."]})
        if attrs["decision"] == LatePaymentDecision.REFUND and not attrs["note"]:
            raise serializers.ValidationError({"note": ["Say how the money goes back."]})
        return attrs


class UndoSerializer(StrictSerializer):
    """Body of undo-confirmation."""

    confirmation_id = ConfirmationIdField()
    reason = RequiredNoteField(
        help_text="Why, for the order's history; the buyer does not read it."
    )


class RefundSerializer(StrictSerializer):
    """Body of refund."""

    confirmation_id = ConfirmationIdField()
    note = RequiredNoteField(help_text="Why and how the money goes back; the buyer reads it too.")
    reference = OptionalTextField(
        max_length=MAX_REFERENCE_LENGTH, help_text="E.g. of the bank transfer, for the books."
    )


class NoteSerializer(StrictSerializer):
    """Body of note."""

    note = RequiredNoteField(help_text="For the order's history; the buyer does not read it.")


class CallOffSerializer(StrictSerializer):
    """Body of call-off."""

    reason = RequiredNoteField(help_text="Why; the buyers read it too.")


def validate_body(serializer: Any) -> dict[str, Any]:
    """Return the validated values of a request body.

    Args:
        serializer: the serializer, constructed with the data of the request.

    Raises:
        ValidationError: a field is unknown, missing or malformed.

    """
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values
