"""Tests of ids and page numbers that no row can have: 404 or a form error, never 500.

One is the first number beyond the ids of both databases, each of which raises an error if it gets
there. The other is one that Python does not convert.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests import builders, stable_names
from tests.integration.backoffice import sample_data

pytestmark = [pytest.mark.django_db, pytest.mark.acceptance, pytest.mark.same_everywhere]

FIELDS: Final = (
    *("_selected_action", "compare", "confirmation", "days", "endpoint", "fetching", "from"),
    *("id", "list", "new", "number", "numbers", "order", "order_id", "p", "page", "proof"),
    *("proof_id", "q", "quantity", "raffle", "raffle_id", "seen", "seen_proofs", "sold", "user"),
    *("after", "page_size", "limit", "id__in", "pk", "pk__in", "raffle__id__exact"),
)
"""Parameters and form fields that hold ids, numbers or page numbers."""

_PLACEHOLDER: Final = re.compile(r"<\w+:\w+>|\(\?P<\w+>[^)]+\)|<\w+>")


def list_addresses(number: object) -> Iterator[str]:
    """Yield each address of the back office, with a number in the place of each argument."""
    for listed in sorted(stable_names.collect("addresses")):
        pattern = listed.split(" ")[0].replace("/?$", "").rstrip("$")
        if pattern.startswith(("/admin/", "/api/")) and "logout" not in pattern:
            yield _PLACEHOLDER.sub(str(number), pattern)


def find_server_errors(
    browser: Client, addresses: Iterable[str], fields: dict[str, Any]
) -> list[str]:
    """Send a GET and a POST to each address; return those that answer with a server error."""
    failed = []
    for address in addresses:
        for send in (browser.get, browser.post):
            answer = send(address, fields)
            answer.getvalue()  # reads an export to its end, which closes its file
            if answer.status_code >= 500:
                failed.append(f"{send.__name__} {address[:80]}")
    return failed


@pytest.fixture
def browser() -> Client:
    """Return the browser of a superuser, which gets a 500 as an answer."""
    browser = Client(raise_request_exception=False)
    browser.force_login(User.objects.create_superuser("olga"))
    return browser


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(str(2**63), id="2 ** 63"),
        pytest.param("9" * 5_000, id="5,000 nines"),
    ],
)
class TestHugeNumbers:
    def test_in_any_address_are_no_server_error(self, browser: Client, number: str) -> None:
        addresses = [address for address in list_addresses(number) if number in address]

        assert len(addresses) > 100
        assert find_server_errors(browser, addresses, {}) == []

    @pytest.mark.parametrize("action", ["confirm_payments", "delete_selected", "resend"])
    def test_ticked_in_a_list_are_no_server_error(
        self, browser: Client, number: str, action: str
    ) -> None:
        fields = {"_selected_action": number, "action": action}
        lists = [
            address for address in list_addresses(1) if re.fullmatch(r"/admin/\w+/\w+/", address)
        ]

        answers = [browser.post(address, fields).status_code for address in lists]

        assert len(answers) > 15
        assert max(answers) < 500

    def test_in_any_field_are_no_server_error(self, browser: Client, number: str) -> None:
        order = sample_data.place_order(builders.create_raffle(), numbers=[1])
        sample_data.receive_proof(order)
        fields = dict.fromkeys(FIELDS, number) | {"sure": "yes"}

        assert find_server_errors(browser, list_addresses(order.pk), fields) == []
