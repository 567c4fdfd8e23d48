"""The reviewer's day: proofs judged by hand and by keyboard, alone and beside somebody else."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.backoffice.browser_user import BrowserUser
from tests.acceptance.backoffice.conftest import BackOfficeServer, OpenBrowser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def order_page(person: BrowserUser, shop: BackOfficeServer, name: str) -> Page:
    return person.open(f"/admin/raffles/order/{shop.keys[name]}/change/")


def send(page: Page) -> None:
    """Send the confirmation of a page that has not heard the news yet, as a slow line would."""
    page.locator(".judge-confirm").evaluate("form => form.submit()")


def review(person: BrowserUser, shop: BackOfficeServer, name: str) -> Page:
    page = person.open(f"/admin/queue/{shop.keys[name]}/")
    sees_the_proof(page)
    return page


def sees_the_proof(page: Page) -> None:
    """Wait until the proof has been in sight long enough for the keys to work."""
    expect(page.locator("[data-armed=keys]")).to_be_visible()


def test_the_queue_begins_with_the_oldest_and_the_keyboard_confirms_it(
    enter: OpenBrowser, shop: BackOfficeServer
) -> None:
    reviewer = enter("rita")
    page = reviewer.open("/admin/queue/")
    page.get_by_role("link", name=re.compile("Start reviewing")).click()
    expect(page).to_have_url(re.compile(f"/admin/queue/{shop.keys['confirm']}/"))
    sees_the_proof(page)

    page.keyboard.press("c")

    reviewer.reads("are sold")
    expect(page).to_have_url(re.compile(f"/admin/queue/{shop.keys['reject']}/"))
    expect(order_page(reviewer, shop, "confirm").locator("body")).to_contain_text("rita")


def test_a_proof_is_turned_down_by_keyboard_with_a_reason(
    enter: OpenBrowser, shop: BackOfficeServer
) -> None:
    reviewer = enter("rita")
    page = review(reviewer, shop, "reject")

    page.keyboard.press("r")
    page.keyboard.press("2")
    page.keyboard.press("Enter")

    reviewer.reads("turned down")
    body = order_page(reviewer, shop, "reject").locator("body")
    expect(body).to_contain_text(re.compile("wrong amount", re.IGNORECASE))


def test_on_a_phone_the_buttons_are_at_hand_and_other_needs_words(
    enter: OpenBrowser, shop: BackOfficeServer
) -> None:
    reviewer = enter("rita", "narrow")
    page = review(reviewer, shop, "many")
    expect(page.get_by_role("button", name=re.compile("Confirm"))).to_be_in_viewport()

    page.get_by_text("Reject", exact=True).first.click()
    page.locator("input[value=OTHER]").check()
    page.get_by_role("button", name="Reject the proof").click()
    expect(page).to_have_url(re.compile(f"/admin/queue/{shop.keys['many']}/"))
    page.get_by_label(re.compile("Note for the buyer")).fill("Two pages are missing")
    page.get_by_role("button", name="Reject the proof").click()

    reviewer.reads("turned down")


def test_the_same_file_and_a_nearly_equal_picture_are_warned_of(
    enter: OpenBrowser, shop: BackOfficeServer
) -> None:
    reviewer = enter()

    page = review(reviewer, shop, "same")

    expect(page.get_by_text(re.compile("The very same file"))).to_be_visible()
    expect(page.get_by_text(re.compile("Nearly the same picture"))).to_be_visible()


def test_a_better_proof_is_asked_for_and_the_order_waits_at_the_end(
    enter: OpenBrowser, shop: BackOfficeServer
) -> None:
    reviewer = enter("rita")
    page = review(reviewer, shop, "ask")

    page.keyboard.press("a")
    page.get_by_label("What should the buyer send?").fill("The whole receipt, please")
    page.keyboard.press("Enter")

    reviewer.reads("asked")
    again = review(reviewer, shop, "ask")
    expect(again.get_by_text(re.compile("was asked for another proof"))).to_be_visible()


def test_the_second_reviewer_is_told_who_was_faster(
    enter: OpenBrowser, shop: BackOfficeServer
) -> None:
    slow, fast = enter("olga"), enter("rita")
    waiting = review(slow, shop, "faster")
    page = review(fast, shop, "faster")
    expect(page.locator("[data-news]")).to_contain_text("olga is looking")  # moves the button
    page.get_by_role("button", name=re.compile("Confirm")).click()
    fast.reads("are sold")

    send(waiting)

    slow.reads("Rita confirmed")


def test_a_proof_that_arrives_meanwhile_is_not_judged_unseen(
    enter: OpenBrowser, shop: BackOfficeServer
) -> None:
    reviewer = enter()
    page = review(reviewer, shop, "unseen")
    shop.run("tests.acceptance.backoffice.receive_proof", str(shop.keys["unseen"]))

    send(page)

    reviewer.reads("nother proof")
    body = order_page(reviewer, shop, "unseen").locator("body")
    expect(body).to_contain_text(re.compile("Proof waits", re.IGNORECASE))


def test_a_late_payment_gets_other_numbers(enter: OpenBrowser, shop: BackOfficeServer) -> None:
    reviewer = enter()
    page = reviewer.open(f"/admin/queue/{shop.keys['late']}/")
    expect(page.locator(".late-decision")).to_contain_text("902")

    page.get_by_text("Give other numbers…").click()
    page.get_by_role("button", name="Sell these numbers").click()

    reviewer.reads("is paid with")
    body = order_page(reviewer, shop, "late").locator("body")
    expect(body).to_contain_text(re.compile("Numbers replaced", re.IGNORECASE))


def test_an_orphan_finds_the_order_it_was_meant_for(
    enter: OpenBrowser, shop: BackOfficeServer
) -> None:
    reviewer = enter("rita", "narrow")
    heading = order_page(reviewer, shop, "paid_by_friend").get_by_role("heading", level=1)
    code = heading.inner_text().split()[-1]
    page = reviewer.open(f"/admin/orphans/{shop.keys['orphan']}/")

    page.get_by_label("Order code").fill(code.lower().replace("-", " "))
    page.get_by_role("button", name="Find").click()
    page.get_by_role("button", name=re.compile("Attach")).click()

    reviewer.reads(code)
    body = order_page(reviewer, shop, "paid_by_friend").locator("body")
    expect(body).to_contain_text(re.compile("Proof waits", re.IGNORECASE))
