"""Tests of sharing a raffle: a link with a word of its own, its QR code, and a poster of a page."""

import os
from io import BytesIO
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]
import pytest
from django.core.files.base import ContentFile
from PIL import Image
from playwright.sync_api import expect

from shared.raffles.models import Raffle
from tests.acceptance.backoffice.browser_user import WINDOW_SIZES, BrowserUser
from tests.acceptance.backoffice.conftest import BackOfficeServer, OpenBrowser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

DECODED_WIDTH = "picture => picture.decode().then(() => picture.naturalWidth)"
"""Waits until a picture is loaded; fails if it cannot be shown."""


def look(user: BrowserUser, name: str) -> None:
    """Check that the page fits and keeps nobody out."""
    user.check_page_fits()
    user.check_accessibility()
    if folder := os.environ.get("SHOTS"):
        size = user.page.viewport_size or {"width": 0}
        user.page.screenshot(path=Path(folder) / f"{name}-{size['width']}.png", full_page=True)


@pytest.mark.parametrize("size", WINDOW_SIZES)
def test_a_seller_makes_a_link_for_a_place_and_its_poster(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer, size: str
) -> None:
    key = backoffice_server.keys["raffle"]
    seller = open_browser("olga", size)
    page = seller.open_page(f"/admin/raffles/raffle/{key}/change/")
    page.get_by_role("link", name="Share").click()
    look(seller, "share")

    word = page.get_by_label("Where will this link be?")
    word.fill("Club Poster")
    word.press("Enter")  # no pointer is left on a button whose colour changes
    expect(page.locator("#share-url")).to_contain_text(f"%28raffle%20{key}%2C%20club-poster%29")
    assert page.get_by_role("img", name="QR code of the link").evaluate(DECODED_WIDTH)
    look(seller, "share-source")
    page.locator("button[data-copy]").click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="PNG").click()
    assert download.value.suggested_filename == f"raffle-{key}-club-poster.png"

    page.get_by_role("link", name="Poster").click()
    expect(page.locator(".words")).to_contain_text(f"(raffle {key}, club-poster)")
    assert page.get_by_role("img", name="QR code that opens the chat").evaluate(DECODED_WIDTH)
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    look(seller, "poster")
    page.get_by_role("link", name="Back").click()
    expect(page.locator("#share-url")).to_contain_text("club-poster")


def draw_tall_picture() -> bytes:
    written = BytesIO()
    Image.new("RGB", (600, 1_400), "#f59e0b").save(written, "JPEG")
    return written.getvalue()


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_a_poster_is_one_page_however_much_it_says(
    open_browser: OpenBrowser,
    backoffice_server: BackOfficeServer,
    paper: str,
) -> None:
    key = backoffice_server.keys["raffle"]
    raffle = backoffice_server.run(Raffle.objects.get, pk=key)
    longest = {
        "title": "The Great Summer Raffle of the Rowing Club of the Old Harbor",
        "prize": "a motorbike with two helmets, a year of insurance and a weekend for two at the "
        "lake of the seven swans, all included",
        "seller_contact": "Ana María Rodríguez de la Fuente, +1 555 0100, on workdays from nine to "
        "five, at the boat house by the old pier",
        "promoter": "The Rowing Club of the Old Harbor and its Friends, registered society",
        "permit_number": "SEGOB-DGJS-S-0123-2026/ABCDEFGHIJ",
        "rules_url": "https://club.example.com/raffles/summer/rules-of-the-great-summer-raffle",
        "adults_only": True,
    }
    former = {name: getattr(raffle, name) for name in longest}
    rows = Raffle.objects.filter(pk=key)
    backoffice_server.run(raffle.picture.save, "tall.jpg", ContentFile(draw_tall_picture()))
    backoffice_server.run(rows.update, **longest)
    try:
        seller = open_browser("olga")
        page = seller.open_page(f"/admin/share/{key}/poster/?source=abcdefghij-klmnopqrs")
        look(seller, f"poster-long-{paper}")
        written = page.pdf(format=paper, print_background=True)
    finally:
        backoffice_server.run(rows.update, picture="", **former)

    if folder := os.environ.get("SHOTS"):
        (Path(folder) / f"poster-{paper}.pdf").write_bytes(written)
    assert len(pypdfium2.PdfDocument(written)) == 1
