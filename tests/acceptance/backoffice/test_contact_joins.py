"""Story of two contacts of one person: compared, joined and parted again."""

import re

import pytest
from playwright.sync_api import expect

from tests.acceptance.backoffice.conftest import BackOfficeServer, OpenBrowser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_two_contacts_are_compared_joined_and_parted_again(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer, size: str
) -> None:
    seller = open_browser("olga", size)
    contact = backoffice_server.keys[f"former_{size}"]
    page = seller.open_page(f"/admin/whatsapp/whatsappcontact/{contact}/change/")
    expect(page.get_by_text("phone number of one became that of the other")).to_be_visible()
    seller.check_accessibility()

    page.get_by_role("link", name="Compare and join").click()
    expect(page.get_by_role("heading", name="Are they the same person?")).to_be_visible()
    expect(page.get_by_text("is my payment in?")).to_be_visible()
    expect(page.get_by_role("heading", name="1 order", exact=True)).to_be_visible()
    seller.check_page_fits()
    seller.check_accessibility()
    page.get_by_role("link", name="Keep the other one instead").click()
    page.get_by_role("button", name="Yes, join them").click()

    seller.expect_message("are one contact now")
    expect(page.get_by_text("was joined into this one: olga")).to_be_visible()
    expect(page.get_by_text(re.compile("R-.{5}")).first).to_be_visible()
    seller.check_page_fits()
    seller.check_accessibility()

    page.get_by_role("link", name="Who did what here").click()
    expect(page.get_by_text(re.compile("Joined .* into Mona at"))).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Undo the join").click()

    seller.expect_message("The join is undone")
    expect(page.get_by_text("They have not ordered anything yet.")).to_be_visible()
    assert seller.complaints == []
