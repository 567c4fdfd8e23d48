"""Validators of a raffle's fields: ISO 4217 currencies and IANA time zones."""

from functools import cache
from zoneinfo import available_timezones

from babel.numbers import is_currency
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator


@cache
def load_time_zones() -> frozenset[str]:
    """Return the names of all time zones; cached, because they are read from the disk."""
    return frozenset(available_timezones())


def validate_currency(value: str) -> None:
    """Check that a value is an ISO 4217 currency code such as USD.

    Raises:
        ValidationError: it is not.

    """
    if value != value.upper() or not is_currency(value):
        raise ValidationError(
            "“%(value)s” is not a currency code of ISO 4217, such as USD.", params={"value": value}
        )


def validate_time_zone(value: str) -> None:
    """Check that a value is a name in the IANA time zone database such as America/Bogota.

    Raises:
        ValidationError: it is not.

    """
    if value not in load_time_zones():
        raise ValidationError(
            "“%(value)s” is not a time zone, such as America/Bogota.", params={"value": value}
        )


def is_web_address(value: str, *, maximum: int) -> bool:
    """Whether a value is an http or https address of at most `maximum` characters."""
    try:
        URLValidator(schemes=["http", "https"])(value)
    except ValidationError:
        return False
    return len(value) <= maximum
