"""Tests of the interactive API documentation with a staff session and the strict CSP."""

from typing import Final

import pytest
from playwright.sync_api import Request, expect

from tests.acceptance.backoffice.conftest import BackOfficeServer, OpenBrowser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PAUSE: Final = "#operations-raffles-raffle_pause"


def test_staff_try_the_api_out_as_themselves(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    seller = open_browser("olga", "narrow")
    elsewhere: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((backoffice_server.address, "data:")):
            elsewhere.append(request.url)

    seller.page.on("request", note)
    page = seller.open_page("/api/docs")
    operation = page.locator(PAUSE)
    operation.locator(".opblock-summary-control").click()
    operation.get_by_placeholder("id", exact=True).fill(str(backoffice_server.keys["empty"]))
    seller.check_page_fits()
    seller.check_accessibility(within=PAUSE)  # all operations have the same layout

    with page.expect_response("**/pause") as answered:
        operation.get_by_role("button", name="Execute").click()

    assert (
        answered.value.status == 409
    )  # a draft cannot be paused, so authentication and permission have passed
    expect(operation.locator(".live-responses-table")).to_contain_text("transition_not_allowed")
    assert elsewhere == []
    seller.complaints.clear()  # the browser reports each status of 400 and above
