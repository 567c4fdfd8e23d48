"""What a raffle's fields may hold, checked against the registers of the world."""

from functools import cache
from zoneinfo import available_timezones

from babel.numbers import is_currency
from django.core.exceptions import ValidationError


@cache
def load_time_zones() -> frozenset[str]:
    """Give the names of all time zones; they are looked for on the disk, so only once."""
    return frozenset(available_timezones())


def validate_currency(value: str) -> None:
    """Accept an ISO 4217 code such as USD.

    Raises:
        ValidationError: for anything else.

    """
    if value != value.upper() or not is_currency(value):
        raise ValidationError(
            "“%(value)s” is not a currency code of ISO 4217, such as USD.", params={"value": value}
        )


def validate_time_zone(value: str) -> None:
    """Accept a name of the IANA time zone database such as America/Bogota.

    Raises:
        ValidationError: for anything else.

    """
    if value not in load_time_zones():
        raise ValidationError(
            "“%(value)s” is not a time zone, such as America/Bogota.", params={"value": value}
        )
