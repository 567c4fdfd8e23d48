"""Tests of the phone in the terminal with a real sandbox and a fake business."""

import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from deploy.sandbox.client import SandboxClient
from deploy.sandbox.in_process import run_sandbox
from deploy.sandbox.phone.terminal import TerminalPhone, derive_phone_number
from tests.unit.deploy.sandbox.fake_business import ANA, UNREACHABLE_URL, FakeBusiness
from tests.unit.deploy.sandbox.fake_gateway import FakeGateway, run_fake_gateway
from tests.waiting import wait_until

pytestmark = pytest.mark.acceptance

BEN = derive_phone_number("Ben")


@pytest.fixture(scope="module")
def gateway() -> Iterator[FakeGateway]:
    with run_fake_gateway() as accepting:
        yield accepting


@pytest.fixture(scope="module")
def module_sandbox(gateway: FakeGateway) -> Iterator[SandboxClient]:
    with run_sandbox(webhook_url=gateway.url, window="off") as client:
        yield client


@pytest.fixture
def sandbox(module_sandbox: SandboxClient, gateway: FakeGateway) -> SandboxClient:
    gateway.answers.clear()
    module_sandbox.reset()
    return module_sandbox


def build_phone(url: str, out: StringIO) -> TerminalPhone:
    return TerminalPhone(
        sandbox=SandboxClient(url),
        console=Console(file=out, width=100, highlight=False),
        info="back office: here",
        timeout=0.3,
    )


def use_phone(sandbox: SandboxClient, *lines: str | Callable[[], object]) -> str:
    """Type lines on a phone and return the output; a callable among the lines is called in turn."""
    phone = build_phone(sandbox.url, out := StringIO())

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


def list_buyer_messages(sandbox: SandboxClient, wa_id: str = ANA) -> list[tuple[str, str]]:
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
        shown = use_phone(sandbox, line)

        assert list_buyer_messages(sandbox) == [("text", text)]
        assert f"▶ {text}\n" in shown

    def test_a_slash_and_a_number_tap_what_has_that_number(self, sandbox: SandboxClient) -> None:
        business = FakeBusiness(sandbox)

        shown = use_phone(sandbox, lambda: business.offers(ANA, "How?"), "/2")

        assert list_buyer_messages(sandbox) == [("tap", "Pick my numbers")]
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
        shown = use_phone(sandbox, line)

        assert words in shown
        assert list_buyer_messages(sandbox) == []

    def test_a_number_that_no_button_has_is_explained(self, sandbox: SandboxClient) -> None:
        business = FakeBusiness(sandbox)

        shown = use_phone(sandbox, lambda: business.offers(ANA, "How?"), "/3", "/0")

        assert "There is no [3]" in shown
        assert "There is no [0]" in shown
        assert list_buyer_messages(sandbox) == []

    def test_a_photo_is_drawn_or_taken_from_a_file(
        self, sandbox: SandboxClient, tmp_path: Path
    ) -> None:
        file = tmp_path / "my receipt.png"
        file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 50)

        use_phone(sandbox, "/photo", f"/photo {file}", "/pdf")

        assert [kind for kind, _ in list_buyer_messages(sandbox)] == ["image", "image", "document"]

    def test_help_and_info_are_shown_and_an_empty_line_is_nothing(
        self, sandbox: SandboxClient
    ) -> None:
        shown = use_phone(sandbox, "/help", "/info", "", "   ")

        assert "/photo [FILE]" in shown
        assert "back office: here" in shown
        assert list_buyer_messages(sandbox) == []

    def test_nothing_is_obeyed_after_quit(self, sandbox: SandboxClient) -> None:
        use_phone(sandbox, "/quit", "hi")

        assert list_buyer_messages(sandbox) == []

    def test_a_message_the_gateway_did_not_take_says_so(
        self, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        gateway.answers = [503] * 9

        assert "has not taken it yet" in use_phone(sandbox, "hi")

    def test_a_stand_in_that_is_gone_is_named(self) -> None:
        with run_sandbox(webhook_url=UNREACHABLE_URL) as sandbox:
            url = sandbox.url
            phone = build_phone(url, out := StringIO())

        phone.run_commands(["hi\n"])

        assert "The stand-in for Meta does not answer" in out.getvalue()


class TestHearing:
    def test_a_notice_that_comes_unasked_is_shown(self, sandbox: SandboxClient) -> None:
        business = FakeBusiness(sandbox)

        shown = use_phone(sandbox, lambda: business.says(ANA, "Paid. *07* is yours."))

        assert "◀ Paid. 07 is yours.\n" in shown

    def test_an_answer_stands_below_its_question(self, sandbox: SandboxClient) -> None:
        business = FakeBusiness(sandbox)
        answer = threading.Timer(0.1, business.says, (ANA, "hello"))
        answer.start()

        shown = use_phone(sandbox, "hi", "/wait 2")

        assert shown.index("▶ hi") < shown.index("◀ hello")
        answer.join()

    def test_what_is_shown_counts_as_read(self, sandbox: SandboxClient) -> None:
        business = FakeBusiness(sandbox)

        use_phone(sandbox, lambda: business.says(ANA, "hello"))

        assert sandbox.outgoing()[0]["status"] == "read"


class TestBuyers:
    def test_a_name_has_the_same_number_in_every_demo(self) -> None:
        assert ANA == derive_phone_number("ana") != BEN
        assert re.fullmatch(r"1555010\d{4}", ANA)
        assert derive_phone_number("+15550100123") == "15550100123"

    def test_each_writes_with_a_number_of_their_own(self, sandbox: SandboxClient) -> None:
        use_phone(sandbox, "hi", "/as Ben", "hello", "/as 15550100999", "hey", "/as ana", "again")

        assert list_buyer_messages(sandbox) == [("text", "hi"), ("text", "again")]
        assert list_buyer_messages(sandbox, BEN) == [("text", "hello")]
        assert list_buyer_messages(sandbox, "15550100999") == [("text", "hey")]

    def test_news_of_another_is_announced_and_read_when_their_phone_is_taken(
        self, sandbox: SandboxClient
    ) -> None:
        business = FakeBusiness(sandbox)

        shown = use_phone(sandbox, "/as Ben", lambda: business.says(ANA, "Paid."), "/as Ana", "/as")

        assert re.search(r"\(Ana has a new message: /as Ana\)\n(.*\n)*.*◀ Paid\.", shown)
        assert f"Ben  +{BEN}" in shown
        assert sandbox.outgoing()[0]["status"] == "read"

    def test_what_was_said_before_is_not_said_again(self, sandbox: SandboxClient) -> None:
        business = FakeBusiness(sandbox)
        use_phone(sandbox, lambda: business.says(ANA, "hello"))

        assert "hello" not in use_phone(sandbox, "/wait 0")


class TestNarrowTerminal:
    def test_erases_every_row_of_a_typed_line(
        self, sandbox: SandboxClient, capsys: pytest.CaptureFixture[str]
    ) -> None:
        phone = TerminalPhone(
            sandbox=SandboxClient(sandbox.url),
            console=Console(file=(out := StringIO()), width=40, highlight=False),
            info="",
        )
        phone._print_prompt_hint()
        for typed, rows in (("", 2), ("x" * 34, 2), ("x" * 35, 3), ("日" * 18, 3), ("x" * 80, 4)):
            phone._erase_prompt("Ana> " + typed, rows_below=1)
            assert capsys.readouterr().out == f"\r\x1b[{rows}A\x1b[J", typed
        phone.run_commands([])

        assert len(out.getvalue().splitlines()) == 1
        assert len(out.getvalue().rstrip("\n")) <= 40


class TestReceipt:
    def test_shows_amount_and_code_and_what_the_seller_does_next(
        self, sandbox: SandboxClient
    ) -> None:
        business = FakeBusiness(sandbox)
        phone = TerminalPhone(
            sandbox=SandboxClient(sandbox.url),
            console=Console(file=(out := StringIO()), width=100, highlight=False),
            info="",
            after_receipt=lambda code: f"the seller looks at {code}",
            timeout=0.3,
        )
        drawn: list[bytes] = []

        def draw(lines: list[str], *, at: object) -> bytes:
            return " | ".join(lines).encode()

        def typed() -> Iterator[str]:
            drawn.append(phone._draw(draw))
            yield "/photo"
            business.says(ANA, "Order *R-7K3F9* · please pay $15.00 by 11:58\nBank of Example.")
            drawn.append(phone._draw(draw))
            yield "/photo"

        phone.run_commands(typed())

        assert drawn == [b"From: Ana", b"$15.00 | Reference: R-7K3F9 | From: Ana"]
        assert out.getvalue().count("the seller looks at R-7K3F9") == 1
