"""The API as staff try it out: with their session, from our own files, under the strict policy."""

from typing import Final

import pytest
from playwright.sync_api import Request, expect

from tests.acceptance.backoffice.conftest import BackOfficeServer, OpenBrowser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PAUSE: Final = "#operations-raffles-raffle_pause"


def test_staff_try_the_api_out_as_themselves(enter: OpenBrowser, shop: BackOfficeServer) -> None:
    seller = enter("olga", "narrow")
    elsewhere: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((shop.address, "data:")):
            elsewhere.append(request.url)

    seller.page.on("request", note)
    page = seller.open("/api/docs")
    operation = page.locator(PAUSE)
    operation.locator(".opblock-summary-control").click()
    operation.get_by_placeholder("id", exact=True).fill(str(shop.keys["empty"]))
    seller.sees_a_page_that_fits()
    seller.finds_no_barrier(within=PAUSE)  # all operations look alike

    with page.expect_response("**/pause") as answered:
        operation.get_by_role("button", name="Execute").click()

    assert answered.value.status == 409  # a draft cannot pause: who asked was known and allowed
    expect(operation.locator(".live-responses-table")).to_contain_text("transition_not_allowed")
    assert elsewhere == []
    seller.complaints.clear()  # the browser notes each answer of 400 and more
