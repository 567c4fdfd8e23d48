"""Tests of every screen: it fits wide and narrow windows, is accessible and causes no errors."""

import pytest
from playwright.sync_api import Browser

from tests.acceptance.backoffice.accessibility import list_barriers
from tests.acceptance.backoffice.browser_user import WINDOW_SIZES, BrowserUser
from tests.acceptance.backoffice.conftest import BackOfficeServer, OpenBrowser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SCREENS = (
    "/admin/",
    "/admin/queue/",
    "/admin/queue/{same}/",
    "/admin/orphans/",
    "/admin/orphans/{orphan}/",
    "/admin/orphans/{dismissed_wide}/",
    "/admin/orphans/{orphan}/make-order/",
    "/admin/whatsapp/whatsappcontact/{former_wide}/erase/",
    "/admin/late/",
    "/admin/queue/{late}/",
    "/admin/refunds/",
    "/admin/raffles/order/{to_refund}/refund/",
    "/admin/raffles/order/{to_refund}/change/",
    "/admin/raffles/order/{refunded}/change/",
    "/admin/raffles/order/",
    "/admin/raffles/order/{confirm}/change/",
    "/admin/sell/{raffle}/",
    "/admin/numbers/{raffle}/?number=101",
    "/admin/share/{longest}/?source=poster",
    "/admin/share/{longest}/poster/?source=poster",
    "/admin/raffles/raffle/",
    "/admin/raffles/raffle/add/",
    "/admin/raffles/raffle/{raffle}/change/",
    "/admin/raffles/raffle/{last_day_due}/change/",
    "/admin/raffles/raffle/{raffle}/move-draw/",
    "/admin/raffles/raffle/{raffle}/call-off/",
    "/admin/raffles/raffle/{last_day_due}/untold/",
    "/admin/draws/",
    "/admin/draws/{drawn}/rules/",
    "/admin/draws/{drawn}/tell/",
    "/admin/draws/{drum}/values/",
    "/admin/raffles/ledgerentry/",
    "/admin/export/",
    "/admin/raffles/paymentproof/",
    "/admin/whatsapp/outboundmessage/",
    "/admin/whatsapp/outboundmessage/{failed}/change/",
    "/admin/whatsapp/inboundmessage/{said}/change/",
    "/admin/whatsapp/whatsappcontact/",
    "/admin/whatsapp/whatsappcontact/{rude}/change/",
    "/admin/whatsapp/alarm/",
    "/admin/whatsapp/businessnumber/",
    "/admin/events/eventdelivery/",
    "/admin/events/eventdelivery/{delivery}/change/",
    "/admin/events/eventendpoint/{endpoint}/change/",
    "/admin/api/apitoken/add/",
    "/admin/security/",
    "/admin/auth/user/1/change/",
    "/admin/auth/user/add/",
    "/admin/password_change/",
)
DENSE = (
    "/admin/",
    "/admin/queue/{same}/",
    "/admin/raffles/order/",
    "/admin/raffles/order/{confirm}/change/",
    "/admin/raffles/raffle/{raffle}/change/",
)
"""Screens whose layout differs between wide and narrow windows."""
LISTS = (
    "/admin/queue/",
    "/admin/orphans/",
    "/admin/late/",
    "/admin/refunds/",
    "/admin/raffles/order/",
    "/admin/raffles/raffle/",
    "/admin/raffles/paymentproof/",
    "/admin/raffles/ledgerentry/",
    "/admin/whatsapp/whatsappcontact/",
    "/admin/whatsapp/inboundmessage/",
    "/admin/whatsapp/outboundmessage/",
    "/admin/whatsapp/alarm/",
    "/admin/whatsapp/businessnumber/",
    "/admin/events/event/",
    "/admin/events/eventdelivery/",
    "/admin/events/eventendpoint/",
    "/admin/api/apitoken/",
    "/admin/auth/user/",
    "/admin/admin/logentry/",
)
"""Lists, which must fit every width with the longest values."""
LIST_WIDTHS = (390, 768, 1280, 1920)


def test_every_screen_fits_a_desk_and_a_phone_and_keeps_nobody_out(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    seller = open_browser("olga", "wide")
    for screen in SCREENS:
        seller.open_page(screen.format(**backoffice_server.keys))
        for size in WINDOW_SIZES:
            seller.resize(size)
            if size == "narrow" or screen in DENSE:
                seller.check_accessibility()
        if screen in LISTS:
            check_widths_of_list(seller)


def test_every_other_list_fits_every_width_with_the_longest_values(
    open_browser: OpenBrowser,
) -> None:
    seller = open_browser()
    for address in sorted(set(LISTS) - set(SCREENS)):
        seller.open_page(address)
        check_widths_of_list(seller)


def check_widths_of_list(seller: BrowserUser) -> None:
    """Check that a list fits every width; this leaves the window at the last of them."""
    for width in LIST_WIDTHS:
        seller.check_lists_fit(width)


def test_the_dark_keeps_nobody_out_either(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    seller = open_browser()
    seller.open_page("/admin/").evaluate("localStorage.setItem('jazzmin-theme-mode', 'dark')")
    for screen in ("/admin/", "/admin/queue/", "/admin/raffles/order/{confirm}/change/"):
        seller.open_page(screen.format(**backoffice_server.keys))
        seller.check_accessibility()


@pytest.mark.parametrize("size", WINDOW_SIZES)
def test_the_way_in_keeps_nobody_out(open_browser: OpenBrowser, size: str) -> None:
    stranger = open_browser("olga", size)
    stranger.page.context.clear_cookies()
    stranger.open_page("/admin/login/")
    stranger.check_accessibility()


@pytest.mark.parametrize("size", WINDOW_SIZES)
def test_an_error_page_keeps_nobody_out(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer, size: str
) -> None:
    order = backoffice_server.keys["confirm"]
    seller = open_browser("olga", size)
    for address, status in (("/nowhere", 404), (f"/admin/raffles/order/{order}/cancel/", 405)):
        seller.open_page(address)
        seller.check_accessibility()

        assert [each for each in seller.complaints if f"status of {status}" in each]
        seller.complaints.clear()


@pytest.mark.parametrize(
    ("style", "count"),
    [
        ("", 0),
        ("color: #ccc", 1),
        ("background: #222", 1),
        ("background: #222; color: #eee", 0),
        ("opacity: 0.3", 1),
        ("color: #ccc; display: none", 0),
    ],
)
def test_a_faint_text_among_many_that_look_alike_is_found(
    browser: Browser, style: str, count: int
) -> None:
    rows = [
        f"<li style='{style if place == 30 else ''}'>Number {place}</li>" for place in range(50)
    ]
    page = browser.new_page()
    page.set_content(f"<html lang=en><title>List</title><ul>{''.join(rows)}</ul></html>")

    barriers = list_barriers(page)

    page.context.close()
    assert len(barriers) == count
    assert all("color-contrast" in each and "Number 30" in each for each in barriers)
