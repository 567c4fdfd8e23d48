"""Tests that the search of a list can be used on a phone as well as on a desk."""

import pytest

from tests.acceptance.backoffice.conftest import OpenBrowser
from tests.model_admins import load_model_admins

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_every_search_field_of_a_desk_is_there_on_a_phone(open_browser: OpenBrowser) -> None:
    seller = open_browser()
    lists = [
        f"/admin/{kind._meta.app_label}/{kind._meta.model_name}/"
        for kind, rows in load_model_admins().items()
        if rows.search_fields
    ]
    assert len(lists) > 8

    for address in lists:
        page = seller.open_page(address)
        for size in ("wide", "narrow"):
            seller.resize(size)
            box = page.locator("#searchbar").bounding_box()
            assert box is not None, (address, size)
            assert box["width"] >= 200, (address, size, box)
            assert box["x"] + box["width"] <= 390 or size == "wide", (address, box)


def test_orders_are_searched_from_every_page_of_a_phone(open_browser: OpenBrowser) -> None:
    seller = open_browser(size="narrow")
    page = seller.open_page("/admin/queue/")

    page.get_by_role("link", name="Search orders").click()
    page.wait_for_url("**/raffles/order/#searchbar")
    page.keyboard.type("ANA")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=ANA**")

    assert page.locator("#searchbar").input_value() == "ANA"
