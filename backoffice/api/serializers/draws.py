"""Serializers of request bodies about draws."""

from typing import Any, ClassVar, Final

from rest_framework import serializers

from backoffice.api.serializers.order_decisions import StrictSerializer
from backoffice.ui import ids

_MAX_VALUES: Final = 40
"""Most numbers that a source draws."""
_MAX_VALUE_LENGTH: Final = 64
"""Characters of a value of drand; whole numbers have fewer."""
_MAX_LINK_LENGTH: Final = 500


class ValueField(serializers.RegexField):
    """A value as a source published it; a JSON number has lost its leading zeros."""

    default_error_messages: ClassVar = {
        "invalid": "Write it as text in quotes: a whole number, or the 64 hex digits of drand."
    }

    def to_internal_value(self, data: Any) -> str:
        """Return the value.

        Raises:
            ValidationError: it is no text, or has other characters than digits.

        """
        if not isinstance(data, str):
            self.fail("invalid")
        value: str = super().to_internal_value(data)
        return value


class ValuesSerializer(StrictSerializer):
    """Body that enters the values of a source."""

    position = serializers.IntegerField(
        min_value=1,
        max_value=ids.MAX_ID,
        help_text="Place of the source in the rules; the first one is 1.",
    )
    values = serializers.ListField(
        child=ValueField(f"^[0-9A-Fa-f]{{1,{_MAX_VALUE_LENGTH}}}$"),
        min_length=1,
        max_length=_MAX_VALUES,
        help_text="As published, in any order: whole numbers, or the 64 hex digits of drand.",
    )
    link = serializers.RegexField(
        r"^https?://[!-~]+$",
        max_length=_MAX_LINK_LENGTH,
        error_messages={"invalid": "Write a web address that begins with https:// or http://."},
        help_text="Address of the page that shows them; it is part of the public record.",
    )


class DrawSerializer(StrictSerializer):
    """Body that draws."""

    fingerprint = serializers.RegexField(
        "^[0-9a-f]{64}$", help_text="`inputs.fingerprint` of the draw that was looked at."
    )
