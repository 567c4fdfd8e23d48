"""Tests of the seller's work: raffles, cash sales, exports, messages and a second factor."""

import re
import time
from pathlib import Path

import pytest
from django_otp.oath import TOTP
from playwright.sync_api import Page, expect

from tests.acceptance.backoffice.conftest import BackOfficeServer, OpenBrowser
from tests.acceptance.backoffice.seed import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_numbers_are_made_with_progress_and_the_raffle_opens(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    seller = open_browser("olga", "narrow")
    page = seller.open_page(f"/admin/raffles/raffle/{backoffice_server.keys['empty']}/generate/")

    page.get_by_role("button", name="Make the numbers").click()
    expect(page.get_by_role("heading", name=re.compile("All 120 numbers are made"))).to_be_visible()
    page.get_by_role("button", name="Open the raffle").click()

    seller.expect_message("open")


def test_a_new_raffle_shows_its_card_while_it_is_typed(open_browser: OpenBrowser) -> None:
    page = open_browser().open_page("/admin/raffles/raffle/add/")

    page.get_by_label("Title").fill("Winter Raffle")
    page.get_by_label("Prize").fill("a sledge")

    expect(page.locator(".preview, #preview").first).to_contain_text("Winter Raffle")


def test_cash_buys_the_numbers_that_were_asked_for(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    seller = open_browser("olga", "narrow")
    page = seller.open_page(f"/admin/sell/{backoffice_server.keys['raffle']}/")

    page.get_by_label("Chosen ones").check()
    page.get_by_label("Numbers", exact=True).fill("777 and 778")
    page.get_by_label("Buyer's name").fill("Greta at the till")
    page.get_by_role("button", name="Cash is in: sell").click()

    expect(page.locator(".receipt")).to_contain_text("Sold to Greta at the till")
    expect(page.locator(".receipt")).to_contain_text("0777")
    seller.check_page_fits()
    seller.check_accessibility()


def test_sales_leave_as_a_file_for_the_spreadsheet(open_browser: OpenBrowser) -> None:
    page = open_browser().open_page("/admin/export/")

    page.get_by_label(re.compile("CSV")).check()
    with page.expect_download() as started:
        page.get_by_role("button", name="Export").click()

    content = started.value.path().read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert b"Buyer" in content


def test_an_order_is_found_by_its_code_in_any_spelling(open_browser: OpenBrowser) -> None:
    seller = open_browser("olga", "narrow")
    page = seller.open_page("/admin/raffles/order/")
    code = page.locator("#result_list .field-code a").last.inner_text()

    search(page, code.lower().replace("r-", "r "))

    assert page.locator("#result_list .field-code a").all_inner_texts() == [code]
    seller.check_page_fits()


def test_an_order_is_cancelled_after_one_more_question(open_browser: OpenBrowser) -> None:
    seller = open_browser()
    page = seller.open_page("/admin/raffles/order/?status=PENDING_PAYMENT&review=none")
    page.locator("#result_list .field-code a").first.click()

    page.get_by_role("button", name=re.compile("Cancel the order")).click()
    cancel = page.get_by_role("button", name="Yes, cancel the order")
    expect(cancel).to_be_visible()
    seller.check_page_fits()
    cancel.click()

    seller.expect_message("is cancelled")


def test_a_contact_is_blocked_and_a_failed_message_sent_again(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    seller = open_browser()
    seller.open_page(f"/admin/whatsapp/whatsappcontact/{backoffice_server.keys['rude']}/change/")
    seller.page.get_by_role("button", name="Block this contact").click()
    expect(seller.page.get_by_role("button", name="Unblock")).to_be_visible()

    page = seller.open_page(
        f"/admin/whatsapp/outboundmessage/{backoffice_server.keys['failed']}/change/"
    )
    page.get_by_role("button", name=re.compile("Send again")).click()

    expect(page.get_by_role("button", name=re.compile("Send again"))).to_have_count(0)


def test_a_second_factor_is_turned_on_and_asked_for(open_browser: OpenBrowser) -> None:
    person = open_browser("rita")
    page = person.open_page("/admin/security/")
    page.get_by_role("button", name="Turn on").click()
    page.get_by_text("The camera does not work?").click()
    secret = page.locator("code.secret").inner_text()
    page.get_by_label(re.compile("six digits")).fill(compute_totp_code(secret))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    paper = page.locator(".codes code").first.inner_text()

    page.context.clear_cookies()
    page.goto(person.address + "/admin/")
    page.get_by_label("Username").fill("rita")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    code = page.get_by_label("Code from your app")
    expect(code).to_be_visible()
    person.check_accessibility()
    code.fill(paper)
    page.get_by_role("button", name="Go on").click()

    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()


def search(page: Page, words: str) -> None:
    page.locator("#searchbar").fill(words)
    page.locator("#searchbar").press("Enter")
    page.wait_for_load_state()


def compute_totp_code(letters: str) -> str:
    """Return the code that the authenticator app shows now."""
    import base64

    letters = letters.replace(" ", "")
    key = base64.b32decode(letters + "=" * (-len(letters) % 8))
    app = TOTP(key)
    app.time = time.time()
    return f"{app.token():06d}"


def test_a_form_with_errors_leads_to_its_fields_and_refuses_a_large_picture(
    open_browser: OpenBrowser, tmp_path: Path
) -> None:
    large = tmp_path / "large.jpg"
    large.write_bytes(b"x" * (5 * 1024 * 1024 + 1))
    seller = open_browser("olga", "narrow")
    page = seller.open_page("/admin/raffles/raffle/add/")

    page.locator("#id_picture").set_input_files(large)
    expect(page.locator(".field-picture .trouble")).to_contain_text("more than 5 MB")
    expect(page.locator("#id_picture")).to_have_value("")
    page.get_by_role("button", name="Save and go on").click()

    banner = page.locator("[data-error-banner]")
    expect(banner).to_be_focused()
    banner.get_by_role("link", name="Title").click()
    expect(page.locator("#id_title")).to_be_in_viewport()
    seller.check_accessibility(within="#raffle_form")
