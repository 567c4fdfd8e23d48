"""A buyer asks for a person, staff answer from the chat page, and the reply reaches the phone.

Gateway, back office and the stand-in for Meta's API are processes of their own here, with a
database that no other test uses.
"""

import logging
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, expect
from pytest_django import DjangoDbBlocker

from deploy.sandbox.client import BuyerClient, SeenMessage
from tests.acceptance import buyer_steps, stack
from tests.acceptance.backoffice.browser_user import WINDOW_SIZES, BrowserUser
from tests.acceptance.backoffice.conftest import BackOfficeServer
from tests.acceptance.backoffice.seed import PASSWORD
from tests.acceptance.stack import Stack
from tests.databases import DatabaseFactory

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

_log = logging.getLogger(__name__)

REPLIES_TIMED: Final = 3
"""How long they take is logged (`--log-cli-level=INFO` shows it) and never asserted."""


@dataclass
class Shop:
    """The processes, and a member of staff at a phone."""

    processes: Stack
    staff: BrowserUser


@pytest.fixture
def shop(
    backoffice_server: BackOfficeServer,  # makes the database that is copied before a browser runs
    browser: Browser,
    static_folder: Path,
    run_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("handover")
    with (
        django_db_blocker.unblock(),
        DatabaseFactory("sqlite", run_folder).fresh() as database,
        stack.run_stack(vendor="sqlite", database=database, folder=folder) as processes,
    ):
        BackOfficeServer("", database, {}).run(seed_shop)
        gateway = processes.start_gateway()
        address = processes.start_backoffice(
            DJANGO_SETTINGS_MODULE="tests.acceptance.backoffice_settings",
            TEST_STATIC_FOLDER=str(static_folder),
        )
        processes.wait_until_ready(gateway)
        width, height = WINDOW_SIZES["narrow"]
        page = browser.new_page(viewport={"width": width, "height": height})
        staff = BrowserUser(page, address)
        staff.log_in("rita")
        yield Shop(processes, staff)
        page.context.close()
        assert staff.complaints == []


def seed_shop() -> None:
    """Create a raffle on sale, and a member of staff."""
    stack.seed_database()
    User.objects.create_superuser("rita", password=PASSWORD)


def send_reply(staff: BrowserUser, buyer: BuyerClient, text: str) -> tuple[SeenMessage, float]:
    """Send a reply from the open chat page.

    Returns:
        What the buyer's phone shows, and the seconds from pressing the button until then.

    """
    staff.page.get_by_label(re.compile("Write to")).fill(text)
    begun = time.monotonic()
    staff.page.get_by_role("button", name="Send").click(no_wait_after=True)
    heard = buyer_steps.wait_for_message(buyer, text)
    return heard, time.monotonic() - begun


def test_a_person_answers_from_the_chat_and_the_bot_is_quiet_meanwhile(
    shop: Shop,
) -> None:
    buyer, staff = shop.processes.buyer(), shop.staff
    page = staff.page
    buyer_steps.request_card(buyer)
    buyer.says("can I talk to a person please")
    buyer_steps.wait_for_message(buyer, "A person will answer you")

    staff.open_page("/admin/")
    waiting = page.get_by_role("region", name="1 buyer waits for a person")
    expect(waiting).to_be_visible()
    staff.check_accessibility(within=".dash-people")
    waiting.get_by_role("link").click()
    chat = page.locator("#chat")
    expect(chat.locator(".bot-state")).to_contain_text("because they asked for a person")
    staff.check_page_fits()
    staff.check_accessibility(within="#chat")

    seconds = []
    for place in range(REPLIES_TIMED):
        _, took = send_reply(staff, buyer, f"Hello, this is Rita. ({place})")
        staff.expect_message("is on its way")
        seconds.append(took)
    _log.info("seconds from Send to the phone: %s", sorted(seconds))

    write = page.get_by_label(re.compile("Write to"))
    expect(write).to_have_value("")
    write.fill("One more thing.")
    token = chat.locator("[data-reply] [name=csrfmiddlewaretoken]")
    token.evaluate("field => { field.value = 'x'.repeat(64); }")  # of an earlier session
    page.get_by_role("button", name="Send").click()
    staff.expect_message("you logged in again meanwhile")
    expect(write).to_have_value("One more thing.")
    page.get_by_role("button", name="Send").click()
    staff.expect_message("is on its way")
    expect(write).to_have_value("")
    buyer_steps.wait_for_message(buyer, "One more thing.")

    buyer.says("and when is the draw?")
    expect(chat.locator(".bubble.theirs").last).to_contain_text("and when is the draw?")
    expect(chat.locator(".bubble.person")).to_have_count(REPLIES_TIMED + 1)
    shop.processes.sandbox.wait_until_idle()
    assert buyer.replies() == [], "the bot is quiet while a person has the chat"

    page.get_by_role("button", name="Let the bot answer again").click()
    staff.expect_message("The bot answers")
    buyer_steps.request_card(buyer)

    staff.open_page("/admin/")
    expect(page.get_by_role("region", name="for a person")).to_have_count(0)
