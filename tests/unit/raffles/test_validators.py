"""Tests of the validators of currencies and time zones."""

import pytest
from django.core.exceptions import ValidationError

from shared.raffles.validators import validate_currency, validate_time_zone


class TestValidateCurrency:
    @pytest.mark.parametrize("code", ["USD", "EUR", "COP"])
    def test_accepts_a_code_of_iso_4217(self, code: str) -> None:
        validate_currency(code)

    @pytest.mark.parametrize("code", ["", "usd", "DOLLAR", "XQQ"])
    def test_refuses_anything_else(self, code: str) -> None:
        with pytest.raises(ValidationError):
            validate_currency(code)


class TestValidateTimeZone:
    @pytest.mark.parametrize("name", ["UTC", "America/Bogota"])
    def test_accepts_an_iana_name(self, name: str) -> None:
        validate_time_zone(name)

    @pytest.mark.parametrize("name", ["", "Bogota", "GMT+25", "../etc/passwd"])
    def test_refuses_anything_else(self, name: str) -> None:
        with pytest.raises(ValidationError):
            validate_time_zone(name)
