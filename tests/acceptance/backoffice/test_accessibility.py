"""Every screen fits a desk and a phone, keeps nobody out, and gives the browser nothing to say."""

import pytest

from tests.acceptance.backoffice.browser_user import WINDOW_SIZES
from tests.acceptance.backoffice.conftest import BackOfficeServer, OpenBrowser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SCREENS = (
    "/admin/",
    "/admin/queue/",
    "/admin/queue/{same}/",
    "/admin/orphans/",
    "/admin/orphans/{orphan}/",
    "/admin/orphans/{orphan}/make-order/",
    "/admin/late/",
    "/admin/queue/{late}/",
    "/admin/raffles/order/",
    "/admin/raffles/order/{confirm}/change/",
    "/admin/sell/{raffle}/",
    "/admin/numbers/{raffle}/?number=101",
    "/admin/raffles/raffle/",
    "/admin/raffles/raffle/add/",
    "/admin/raffles/raffle/{raffle}/change/",
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
"""Screens that a wide window shows in another way than a phone; there the others look alike."""


def test_every_screen_fits_a_desk_and_a_phone_and_keeps_nobody_out(
    enter: OpenBrowser, shop: BackOfficeServer
) -> None:
    seller = enter("olga", "wide")
    for screen in SCREENS:
        seller.open(screen.format(**shop.keys))
        for size in WINDOW_SIZES:
            seller.turns_to(size)
            if size == "narrow" or screen in DENSE:
                seller.finds_no_barrier()


def test_the_dark_keeps_nobody_out_either(enter: OpenBrowser, shop: BackOfficeServer) -> None:
    seller = enter()
    seller.open("/admin/").evaluate("localStorage.setItem('jazzmin-theme-mode', 'dark')")
    for screen in ("/admin/", "/admin/queue/", "/admin/raffles/order/{confirm}/change/"):
        seller.open(screen.format(**shop.keys))
        seller.finds_no_barrier()


@pytest.mark.parametrize("size", WINDOW_SIZES)
def test_the_way_in_keeps_nobody_out(enter: OpenBrowser, size: str) -> None:
    stranger = enter("olga", size)
    stranger.page.context.clear_cookies()
    stranger.open("/admin/login/")
    stranger.finds_no_barrier()
