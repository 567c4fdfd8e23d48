"""Tests of a draw: rules, seal, values by two people, draw, redraw, claim; wide and narrow."""

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from shared.raffles.models import Order
from tests.acceptance.backoffice.browser_user import WINDOW_SIZES, BrowserUser
from tests.acceptance.backoffice.conftest import BackOfficeServer, OpenBrowser
from tests.integration.backoffice.draw_steps import VALUE

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def look(user: BrowserUser, name: str) -> None:
    """Check that the page fits and keeps nobody out."""
    user.check_page_fits()
    user.check_accessibility()
    if folder := os.environ.get("SHOTS"):
        size = user.page.viewport_size or {"width": 0}
        user.page.screenshot(path=Path(folder) / f"{name}-{size['width']}.png", full_page=True)


@pytest.mark.parametrize("size", WINDOW_SIZES)
def test_rules_are_written_and_a_raffle_is_sealed(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer, size: str
) -> None:
    seller = open_browser("olga", size)
    page = seller.open_page(f"/admin/draws/{backoffice_server.keys['empty']}/rules/")
    page.get_by_role("button", name="Add a prize").click()
    page.get_by_label("Prize", exact=True).last.fill("A dinner for two")
    expect(page.locator("#preview")).to_contain_text(": A dinner for two")
    page.get_by_label("Source", exact=True).select_option("6of49")
    page.get_by_label("Its name").fill("Lotto")
    look(seller, "rules")
    page.get_by_label("Fewest sold numbers").fill("1")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".error-banner")).to_contain_text("raise the minimum")
    page.get_by_label("Source", exact=True).select_option("drand")
    page.get_by_label("Fewest sold numbers").fill("9")
    page.get_by_role("button", name="Save", exact=True).click()
    seller.expect_message("The rules are saved.")

    key = backoffice_server.keys[f"to_seal_{size}"]
    page = seller.open_page(f"/admin/draws/{key}/seal/")
    expect(page.locator(".open-orders")).to_be_visible()
    look(seller, "seal-open")
    page.get_by_role("button", name="Close the sale…").click()
    page.get_by_role("button", name="Yes, close the raffle").click()
    backoffice_server.run(
        Order.objects.filter(pk=backoffice_server.keys[f"holding_{size}"]).update,
        status="EXPIRED",
        expires_at=timezone.now() - timedelta(days=1),
    )
    page.reload()
    page.get_by_role("button", name="Seal the list…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look(seller, "seal")
    page.get_by_role("button", name="Seal the list", exact=True).dblclick()
    seller.expect_message("Sealed: 3 sold numbers take part.")
    look(seller, "sealed")


@pytest.mark.parametrize("size", WINDOW_SIZES)
def test_two_people_enter_the_values_draw_and_draw_again(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer, size: str
) -> None:
    olga, rita = open_browser("olga", size), open_browser("rita", size)
    key = backoffice_server.keys[f"sealed_{size}"]
    page = olga.open_page(f"/admin/draws/{key}/")
    page.get_by_label("Randomness of the round").fill(VALUE)
    look(olga, "values-enter")
    page.get_by_role("button", name="Enter the values").click()
    olga.expect_message("Another person with the permission must confirm it")
    look(olga, "values-entered")

    page = rita.open_page(f"/admin/draws/{key}/")
    page.get_by_role("link", name="Look at it and confirm…").click()
    page.get_by_label(re.compile("I have looked at the source myself")).check()
    look(rita, "values-confirm")
    page.get_by_role("button", name="Confirm", exact=True).click()
    rita.expect_message("Confirmed.")

    page = olga.open_page(f"/admin/draws/{key}/draw/")
    look(olga, "draw")
    page.get_by_role("button", name="Draw…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    olga.check_page_fits()
    page.get_by_role("button", name="Draw now").dblclick()
    olga.expect_message("Drawn.")
    expect(page.locator(".drawn-number")).to_have_count(2)
    look(olga, "result")
    page.get_by_role("link", name="Show it to everybody").click()
    look(olga, "stage")

    page = rita.open_page(f"/admin/draws/{key}/winners/")
    page.get_by_role("link", name="Draw again…").first.click()
    page.get_by_label("The winner does not want it").check()
    page.get_by_label("What happened").fill("The winner gave it back.")
    look(rita, "redraw")
    page.get_by_role("button", name="Draw this prize again").dblclick()
    rita.expect_message("was drawn again")
    for _ in range(2):
        page.get_by_role("button", name="Confirm the winner…").first.click()
        page.get_by_role("button", name="Yes, confirm").click()
        rita.expect_message("The winner is confirmed.")
    look(rita, "winners")
    page.get_by_label("How it was handed over").first.fill("At the club's hall.")
    page.get_by_role("button", name="Claimed").first.click()
    rita.expect_message("claimed")
    expect(page.locator(".winner").first).to_contain_text("At the club's hall.")
    look(rita, "winners-claimed")
    page.get_by_role("link", name="Tell winners and buyers").click()
    expect(page.get_by_text("A text to forward")).to_be_visible()
    look(rita, "tell")
