"""Tests of the demo's script: it notices every difference."""

import re
from collections.abc import Iterator
from io import StringIO

import pytest
from rich.console import Console

from deploy.demo import draw, script
from deploy.demo.clients import DemoMismatch, HtmlPage
from deploy.demo.scripted_buyer import ScriptedBuyer
from deploy.sandbox.client import SandboxClient
from deploy.sandbox.in_process import run_sandbox
from tests.unit.deploy.sandbox.fake_business import ANA, BUTTONS, UNREACHABLE_URL, FakeBusiness


@pytest.fixture
def sandbox() -> Iterator[SandboxClient]:
    with run_sandbox(webhook_url=UNREACHABLE_URL, window="off") as client:
        yield client


@pytest.fixture
def ana(sandbox: SandboxClient) -> ScriptedBuyer:
    console = Console(file=StringIO(), highlight=False)
    return ScriptedBuyer(sandbox.buyer(ANA, name="Ana"), name="Ana", console=console)


class TestPlayer:
    def test_hears_what_the_script_says(self, sandbox: SandboxClient, ana: ScriptedBuyer) -> None:
        FakeBusiness(sandbox).offers(ANA, "Total $15.00 for *07 · 13*")

        found = ana.expect_message(r"\*(?P<numbers>[\d · ]+)\*", buttons=BUTTONS)

        assert found["numbers"] == "07 · 13"

    def test_hears_each_message_once(self, sandbox: SandboxClient, ana: ScriptedBuyer) -> None:
        FakeBusiness(sandbox).says(ANA, "one")
        ana.expect_message("one")
        FakeBusiness(sandbox).says(ANA, "two")

        assert ana.expect_message("two")[0] == "two"

    @pytest.mark.parametrize(
        ("pattern", "buttons", "words"),
        [
            (r"Total \$20\.00", BUTTONS, "and reads 'Total $15.00'"),
            (r"Total \$15\.00", ("Confirm",), "can tap \\['Random numbers', 'Pick my numbers'\\]"),
        ],
    )
    def test_another_text_or_button_ends_it_with_a_sentence(
        self,
        sandbox: SandboxClient,
        ana: ScriptedBuyer,
        pattern: str,
        buttons: tuple[str, ...],
        words: str,
    ) -> None:
        FakeBusiness(sandbox).offers(ANA, "Total $15.00")

        with pytest.raises(DemoMismatch, match=words.replace("$", "\\$")):
            ana.expect_message(pattern, buttons=buttons)


class TestPatterns:
    @pytest.mark.parametrize(
        ("pattern", "text"),
        [
            (
                script.HELD_PATTERN,
                "Held for you until 15:42 (30 minutes left):\n*07 · 13 · 45*\nTotal $15.00",
            ),
            (
                script.HELD_PATTERN,
                "Held for you until Sun 23 Nov, 00:12 (1 day left):\n*07 · 13 · 45*\nTotal $15.00",
            ),
            (script.PAID_PATTERN, "Paid. *07 · 13 · 45* are yours. Good luck!"),
        ],
    )
    def test_fit_what_the_bot_writes_at_any_hour(self, pattern: str, text: str) -> None:
        found = re.search(pattern, text, re.DOTALL)

        assert found is not None
        assert found["numbers"] == "07 · 13 · 45"


class TestReceipt:
    def test_is_read_from_the_message_about_the_payment(self) -> None:
        text = "Paid. *07* are yours.\nEntry 57 · 9f3a 12c8\nGood luck!"

        assert draw.parse_receipt(text) == draw.DemoReceipt("57", head="9f3a 12c8")
        with pytest.raises(DemoMismatch, match="no receipt in"):
            draw.parse_receipt("Paid.")


class TestPage:
    def test_finds_each_form_with_what_it_holds(self) -> None:
        page = HtmlPage(
            """
            <a href="/admin/raffles/order/7/change/">R-7K3F9</a>
            <form action="/confirm/"><input name="token" value="abc"><input name="seen" value="1">
            <input name="seen" value="2"><button>Confirm</button></form>
            <form method="post"><input name="q"></form>
            """
        )

        assert page.links == ["/admin/raffles/order/7/change/"]
        assert [form.action for form in page.forms] == ["/confirm/", ""]
        assert page.forms[0].fields == {"token": ["abc"], "seen": ["1", "2"]}
