"""Tests of numbers and ids in the URLs of API requests."""

import pytest
from django.http import QueryDict
from django.test import RequestFactory
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from backoffice.api import query_params
from backoffice.api.pagination import IdPaginator


@pytest.mark.parametrize("text", ["", "x", "-1", "٣", str(2**63)])
def test_a_text_that_is_no_id_is_one_that_no_row_has(text: str) -> None:
    assert query_params.parse_id(text) == 0


@pytest.mark.parametrize("query", ["", "limit="])
def test_an_absent_or_empty_parameter_has_its_default(query: str) -> None:
    assert query_params.parse_whole_number(QueryDict(query), "limit", least=1, default=5) == 5
    assert query_params.parse_whole_number(QueryDict(query), "limit", least=1, default=None) is None


@pytest.mark.parametrize(
    ("text", "most", "message"),
    [
        ("0", None, "Write a whole number, 1 or more."),
        ("x", None, "Write a whole number, 1 or more."),
        ("11", 10, "Write a whole number, 1 to 10."),
    ],
)
def test_another_value_is_refused_with_its_bounds(
    text: str, most: int | None, message: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        query_params.parse_whole_number(
            QueryDict(f"limit={text}"), "limit", least=1, most=most, default=5
        )

    assert refused.value.detail == {"limit": [message]}


def test_the_numbers_of_a_list_are_refused_in_its_own_words() -> None:
    request = Request(RequestFactory().get("/api/orders?page_size=0"))

    with pytest.raises(ValidationError) as refused:
        IdPaginator(request)

    assert refused.value.detail == {"page_size": ["Give a whole number, 1 or more."]}
