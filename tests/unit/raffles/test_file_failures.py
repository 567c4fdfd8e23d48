"""Tests of the reasons why a proof's file is not available."""

import pytest

from shared.core.enums import FileFailure
from shared.raffles import file_failures
from shared.raffles.file_failures import parse_failure
from shared.whatsapp.errors import GraphUncertain, MediaError


def list_media_errors(kind: type[Exception] = MediaError) -> list[str]:
    return [
        name
        for error in kind.__subclasses__()
        for name in (error.__name__, *list_media_errors(error))
    ]


def test_every_error_of_a_file_has_its_reason() -> None:
    assert set(list_media_errors()) == set(file_failures._FAILURES_BY_ERROR)


@pytest.mark.parametrize("error", [GraphUncertain.__name__, "", "something old"])
def test_any_other_error_is_one_of_the_connection(error: str) -> None:
    assert parse_failure(error) is FileFailure.UNREACHABLE
