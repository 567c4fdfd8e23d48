"""Tests of reviewing proofs by mouse and by keyboard, alone and with a second reviewer."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.backoffice import gateway_steps
from tests.acceptance.backoffice.browser_user import BrowserUser
from tests.acceptance.backoffice.conftest import BackOfficeServer, OpenBrowser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def open_order_page(person: BrowserUser, backoffice_server: BackOfficeServer, name: str) -> Page:
    return person.open_page(f"/admin/raffles/order/{backoffice_server.keys[name]}/change/")


def submit_confirmation(page: Page) -> None:
    """Submit the confirmation from a page that has not been refreshed."""
    page.locator(".judge-confirm").evaluate("form => form.submit()")


def open_review(person: BrowserUser, backoffice_server: BackOfficeServer, name: str) -> Page:
    page = person.open_page(f"/admin/queue/{backoffice_server.keys[name]}/")
    wait_until_keys_work(page)
    return page


def wait_until_keys_work(page: Page) -> None:
    """Wait until the proof has been visible long enough for the keys to work."""
    expect(page.locator("[data-armed=keys]")).to_be_visible()


def test_the_queue_begins_with_the_oldest_and_the_keyboard_confirms_it(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    reviewer = open_browser("rita")
    page = reviewer.open_page("/admin/queue/")
    page.get_by_role("link", name=re.compile("Start reviewing")).click()
    expect(page).to_have_url(re.compile(f"/admin/queue/{backoffice_server.keys['confirm']}/"))
    wait_until_keys_work(page)

    page.keyboard.press("c")

    reviewer.expect_message("are sold")
    expect(page).to_have_url(re.compile(f"/admin/queue/{backoffice_server.keys['reject']}/"))
    expect(open_order_page(reviewer, backoffice_server, "confirm").locator("body")).to_contain_text(
        "rita"
    )


def test_a_proof_is_turned_down_by_keyboard_with_a_reason(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    reviewer = open_browser("rita")
    page = open_review(reviewer, backoffice_server, "reject")

    page.keyboard.press("r")
    page.keyboard.press("2")
    page.keyboard.press("Enter")

    reviewer.expect_message("rejected")
    body = open_order_page(reviewer, backoffice_server, "reject").locator("body")
    expect(body).to_contain_text(re.compile("wrong amount", re.IGNORECASE))


def test_on_a_phone_the_buttons_are_at_hand_and_other_needs_words(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    reviewer = open_browser("rita", "narrow")
    page = open_review(reviewer, backoffice_server, "many")
    expect(page.get_by_role("button", name=re.compile("Confirm"))).to_be_in_viewport()

    page.get_by_text("Reject", exact=True).first.click()
    page.locator("input[value=OTHER]").check()
    page.get_by_role("button", name="Reject the proof").click()
    expect(page).to_have_url(re.compile(f"/admin/queue/{backoffice_server.keys['many']}/"))
    page.get_by_label(re.compile("Note for the buyer")).fill("Two pages are missing")
    page.get_by_role("button", name="Reject the proof").click()

    reviewer.expect_message("rejected")


def test_the_same_file_and_a_nearly_equal_picture_are_warned_of(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    reviewer = open_browser()

    page = open_review(reviewer, backoffice_server, "same")

    expect(page.get_by_text(re.compile("The very same file"))).to_be_visible()
    expect(page.get_by_text(re.compile("Nearly the same picture"))).to_be_visible()


def test_a_better_proof_is_asked_for_and_the_order_waits_at_the_end(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    reviewer = open_browser("rita")
    page = open_review(reviewer, backoffice_server, "ask")

    page.keyboard.press("a")
    page.get_by_label("What should the buyer send?").fill("The whole receipt, please")
    page.keyboard.press("Enter")

    reviewer.expect_message("asked")
    again = open_review(reviewer, backoffice_server, "ask")
    expect(again.get_by_text(re.compile("was asked for another proof"))).to_be_visible()


def test_the_second_reviewer_is_told_who_was_faster(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    slow, fast = open_browser("olga"), open_browser("rita")
    waiting = open_review(slow, backoffice_server, "faster")
    page = open_review(fast, backoffice_server, "faster")
    expect(page.locator("[data-news]")).to_contain_text("olga is looking")  # this moves the button
    page.get_by_role("button", name=re.compile("Confirm")).click()
    fast.expect_message("are sold")

    submit_confirmation(waiting)

    slow.expect_message("Rita confirmed")


def test_a_proof_that_arrives_meanwhile_is_not_judged_unseen(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    reviewer = open_browser()
    page = open_review(reviewer, backoffice_server, "unseen")
    backoffice_server.run(gateway_steps.receive_proof, backoffice_server.keys["unseen"])

    submit_confirmation(page)

    reviewer.expect_message("nother proof")
    body = open_order_page(reviewer, backoffice_server, "unseen").locator("body")
    expect(body).to_contain_text(re.compile("Proof waits", re.IGNORECASE))


def test_a_late_payment_gets_other_numbers(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    reviewer = open_browser()
    page = reviewer.open_page(f"/admin/queue/{backoffice_server.keys['late']}/")
    expect(page.locator(".late-decision")).to_contain_text("902")

    page.get_by_text("Give other numbers…").click()
    page.get_by_role("button", name="Sell these numbers").click()

    reviewer.expect_message("is paid with")
    body = open_order_page(reviewer, backoffice_server, "late").locator("body")
    expect(body).to_contain_text(re.compile("Numbers replaced", re.IGNORECASE))


def test_an_orphan_finds_the_order_it_was_meant_for(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    reviewer = open_browser("rita", "narrow")
    heading = open_order_page(reviewer, backoffice_server, "paid_by_friend").get_by_role(
        "heading", level=1
    )
    code = heading.inner_text().split()[-1]
    page = reviewer.open_page(f"/admin/orphans/{backoffice_server.keys['orphan']}/")

    page.get_by_label("Order code").fill(code.lower().replace("-", " "))
    page.get_by_role("button", name="Find").click()
    page.get_by_role("button", name=re.compile("Attach")).click()

    reviewer.expect_message(code)
    body = open_order_page(reviewer, backoffice_server, "paid_by_friend").locator("body")
    expect(body).to_contain_text(re.compile("Proof waits", re.IGNORECASE))


def test_a_huge_picture_a_heic_photo_and_a_pdf_are_shown_as_bounded_pictures(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    keys = backoffice_server.run(gateway_steps.receive_hard_proofs)
    reviewer = open_browser("rita", "narrow")
    page = reviewer.open_page(f"/admin/queue/{keys['order']}/")

    sizes = {}
    for name in ("huge", "heic", "pdf"):
        page.locator(f"[data-pick='{keys[name]}']").click()
        expect(page.locator("[data-viewer][data-ready=yes]")).to_be_visible()
        picture = page.locator(f"#proof-{keys[name]} .stage img")
        sizes[name] = picture.evaluate("image => [image.naturalWidth, image.naturalHeight]")

    assert sizes["huge"] == [2_000, 2_000]
    assert sizes["heic"] == [1_200, 900]
    assert sizes["pdf"][0] > 1_000
    expect(page.get_by_role("link", name=re.compile("Open the PDF"))).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the original").click()
    assert download.value.suggested_filename.endswith(".pdf")
