"""A phone in the terminal, against a real stand-in; the test plays the business."""

import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from io import StringIO
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from deploy.sandbox.client import SandboxClient
from deploy.sandbox.in_process import run_sandbox
from deploy.sandbox.options import SandboxOptions
from deploy.sandbox.phone.terminal import TerminalPhone, derive_phone_number
from tests.unit.deploy.sandbox.fake_gateway import FakeGateway, run_fake_gateway
from tests.waiting import wait_until

NOWHERE = "http://127.0.0.1:9/webhook"
PLAY = SandboxOptions()
ANA, BEN = derive_phone_number("Ana"), derive_phone_number("Ben")
BUTTONS = ("Random numbers", "Pick my numbers")


@pytest.fixture(scope="module")
def gateway() -> Iterator[FakeGateway]:
    with run_fake_gateway() as accepting:
        yield accepting


@pytest.fixture(scope="module")
def stand_in(gateway: FakeGateway) -> Iterator[SandboxClient]:
    with run_sandbox(webhook_url=gateway.url, window="off") as client:
        yield client


@pytest.fixture
def sandbox(stand_in: SandboxClient, gateway: FakeGateway) -> SandboxClient:
    gateway.answers.clear()
    stand_in.reset()
    return stand_in


class Business:
    """Answers as the gateway would, over the Graph API."""

    def __init__(self, sandbox: SandboxClient) -> None:
        self._url = f"{sandbox.url}/v26.0/{PLAY.phone_number_ids[0]}/messages"

    def says(self, wa_id: str, text: str) -> None:
        self._send(wa_id, {"type": "text", "text": {"body": text}})

    def offers(self, wa_id: str, text: str) -> None:
        replies = [{"type": "reply", "reply": {"id": title, "title": title}} for title in BUTTONS]
        interactive = {"type": "button", "body": {"text": text}, "action": {"buttons": replies}}
        self._send(wa_id, {"type": "interactive", "interactive": interactive})

    def _send(self, wa_id: str, message: dict[str, object]) -> None:
        body = {"messaging_product": "whatsapp", "to": f"+{wa_id}", **message}
        headers = {"Authorization": f"Bearer {PLAY.access_token}"}
        httpx.post(self._url, json=body, headers=headers).raise_for_status()


def phone_at(url: str, out: StringIO) -> TerminalPhone:
    return TerminalPhone(
        sandbox=SandboxClient(url),
        console=Console(file=out, width=100, highlight=False),
        info="back office: here",
        timeout=0.3,
    )


def used(sandbox: SandboxClient, *lines: str | Callable[[], object]) -> str:
    """Use a phone; a callable among the lines is called when its turn comes."""
    phone = phone_at(sandbox.url, out := StringIO())

    def typed() -> Iterator[str]:
        for line in lines:
            if callable(line):
                shown = len(out.getvalue())
                line()
                wait_until(partial(is_longer, out, shown))
            else:
                yield line + "\n"

    phone.run_commands(typed())
    return out.getvalue()


def is_longer(out: StringIO, than: int) -> bool:
    return len(out.getvalue()) > than


def inbox(sandbox: SandboxClient, wa_id: str = ANA) -> list[tuple[str, str]]:
    chat = sandbox.buyer(wa_id).sees(read=False)
    return [(seen.type, seen.text) for seen in chat if seen.sender == "buyer"]


class TestTyping:
    @pytest.mark.parametrize(
        ("line", "text"),
        [
            ("hi", "hi"),
            ("1", "1"),
            ("  3 please ", "3 please"),
            ("//1", "/1"),
            ("07, 13", "07, 13"),
        ],
    )
    def test_a_line_without_a_slash_is_a_message(
        self, sandbox: SandboxClient, line: str, text: str
    ) -> None:
        shown = used(sandbox, line)

        assert inbox(sandbox) == [("text", text)]
        assert f"▶ {text}\n" in shown

    def test_a_slash_and_a_number_tap_what_has_that_number(self, sandbox: SandboxClient) -> None:
        business = Business(sandbox)

        shown = used(sandbox, lambda: business.offers(ANA, "How?"), "/2")

        assert inbox(sandbox) == [("tap", "Pick my numbers")]
        assert re.search(r"◀ How\?\n  \[1\] Random numbers\n  \[2\] Pick my numbers\n", shown)

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("/1", "There is nothing to tap yet"),
            ("/photo /nowhere.jpg", "There is no file /nowhere.jpg"),
            ("/dance", "There is no such command"),
            ("/wait long", "How many seconds?"),
        ],
    )
    def test_what_makes_no_sense_is_explained_and_sends_nothing(
        self, sandbox: SandboxClient, line: str, words: str
    ) -> None:
        shown = used(sandbox, line)

        assert words in shown
        assert inbox(sandbox) == []

    def test_a_number_that_no_button_has_is_explained(self, sandbox: SandboxClient) -> None:
        business = Business(sandbox)

        shown = used(sandbox, lambda: business.offers(ANA, "How?"), "/3", "/0")

        assert "There is no [3]" in shown
        assert "There is no [0]" in shown
        assert inbox(sandbox) == []

    def test_a_photo_is_drawn_or_taken_from_a_file(
        self, sandbox: SandboxClient, tmp_path: Path
    ) -> None:
        file = tmp_path / "my receipt.png"
        file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 50)

        used(sandbox, "/photo", f"/photo {file}", "/pdf")

        assert [kind for kind, _ in inbox(sandbox)] == ["image", "image", "document"]

    def test_help_and_info_are_shown_and_an_empty_line_is_nothing(
        self, sandbox: SandboxClient
    ) -> None:
        shown = used(sandbox, "/help", "/info", "", "   ")

        assert "/photo [FILE]" in shown
        assert "back office: here" in shown
        assert inbox(sandbox) == []

    def test_nothing_is_obeyed_after_quit(self, sandbox: SandboxClient) -> None:
        used(sandbox, "/quit", "hi")

        assert inbox(sandbox) == []

    def test_a_message_the_gateway_did_not_take_says_so(
        self, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        gateway.answers = [503] * 9

        assert "has not taken it yet" in used(sandbox, "hi")

    def test_a_stand_in_that_is_gone_is_named(self) -> None:
        with run_sandbox(webhook_url=NOWHERE) as sandbox:
            url = sandbox.url
            phone = phone_at(url, out := StringIO())

        phone.run_commands(["hi\n"])

        assert "The stand-in for Meta does not answer" in out.getvalue()


class TestHearing:
    def test_a_notice_that_comes_unasked_is_shown(self, sandbox: SandboxClient) -> None:
        business = Business(sandbox)

        shown = used(sandbox, lambda: business.says(ANA, "Paid. *07* is yours."))

        assert "◀ Paid. 07 is yours.\n" in shown

    def test_an_answer_stands_below_its_question(self, sandbox: SandboxClient) -> None:
        business = Business(sandbox)
        answer = threading.Timer(0.1, business.says, (ANA, "hello"))
        answer.start()

        shown = used(sandbox, "hi", "/wait 2")

        assert shown.index("▶ hi") < shown.index("◀ hello")
        answer.join()

    def test_what_is_shown_counts_as_read(self, sandbox: SandboxClient) -> None:
        business = Business(sandbox)

        used(sandbox, lambda: business.says(ANA, "hello"))

        assert sandbox.outgoing()[0]["status"] == "read"


class TestBuyers:
    def test_a_name_has_the_same_number_in_every_demo(self) -> None:
        assert ANA == derive_phone_number("ana") != BEN
        assert re.fullmatch(r"1555010\d{4}", ANA)
        assert derive_phone_number("+15550100123") == "15550100123"

    def test_each_writes_with_a_number_of_their_own(self, sandbox: SandboxClient) -> None:
        used(sandbox, "hi", "/as Ben", "hello", "/as 15550100999", "hey", "/as ana", "again")

        assert inbox(sandbox) == [("text", "hi"), ("text", "again")]
        assert inbox(sandbox, BEN) == [("text", "hello")]
        assert inbox(sandbox, "15550100999") == [("text", "hey")]

    def test_news_of_another_is_announced_and_read_when_their_phone_is_taken(
        self, sandbox: SandboxClient
    ) -> None:
        business = Business(sandbox)

        shown = used(sandbox, "/as Ben", lambda: business.says(ANA, "Paid."), "/as Ana", "/as")

        assert re.search(r"\(Ana has a new message: /as Ana\)\n(.*\n)*.*◀ Paid\.", shown)
        assert f"Ben  +{BEN}" in shown
        assert sandbox.outgoing()[0]["status"] == "read"

    def test_what_was_said_before_is_not_said_again(self, sandbox: SandboxClient) -> None:
        business = Business(sandbox)
        used(sandbox, lambda: business.says(ANA, "hello"))

        assert "hello" not in used(sandbox, "/wait 0")
