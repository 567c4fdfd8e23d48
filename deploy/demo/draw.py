"""The draw in the demo's script: sealed, drawn and confirmed in the back office, then verified."""

import re
import secrets
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from deploy import child_processes
from deploy.demo.clients import AdminBrowser, ApiClient, DemoMismatch
from deploy.demo.scripted_buyer import ScriptedBuyer
from deploy.demo.services import RunningDemo
from deploy.sandbox import sample_receipts

TIME_TO_DRAW: Final = timedelta(seconds=5)
"""From moving the draw until it; a slow machine needs some of them for the move itself."""
MOVED_PATTERN: Final = r"draw of \*Summer Raffle\* was moved"
WON_PATTERN: Final = r"Congratulations! \*(?P<number>\d\d)\* has won \*a motorbike\*"
CONSENT_BUTTONS: Final = ("Yes, show my name", "No, only the number")
SHOWN_PATTERN: Final = r"You are shown as \*Ana …01\*"
VERIFIED_PATTERN: Final = r"sold, entry \d+, in the sealed list of \d+ numbers\. It won"
RECEIPT_PATTERN: Final = r"Entry (?P<entry>\d+) · (?P<head>[0-9a-f]{4} [0-9a-f]{4})"
VERIFIED_WORDS: Final = "Everything holds."


@dataclass(frozen=True)
class DemoReceipt:
    """What a buyer's message says of their entry in the chain of receipts."""

    entry: str
    head: str


def play_draw(
    demo: RunningDemo,
    *,
    browser: AdminBrowser,
    program: ApiClient,
    winner: ScriptedBuyer,
    receipt: DemoReceipt,
    console: Console,
) -> None:
    """Close, seal and draw the demo's raffle, tell its winner, and verify its record.

    Args:
        demo: the running demo.
        browser: the seller's browser, logged in.
        program: an API client with a token that may close raffles.
        winner: the only buyer whose numbers are still sold.
        receipt: of that buyer, as the last message about their payment says.
        console: where each step is printed.

    Raises:
        DemoMismatch: something is not as expected.
        CommandFailed: the record does not hold.
        httpx.HTTPError: the back office did not answer, or with an error.

    """
    raffle_id = demo.seeded.raffle_id
    pages = f"/admin/draws/{raffle_id}"
    console.print(Text("\n— the draw: sealed before everybody's eyes —", "bold"))
    program.close_raffle(raffle_id)
    draw_at = _move_draw(browser, raffle_id)
    winner.expect_message(MOVED_PATTERN, buttons=None)
    browser.submit_form(
        f"{pages}/seal/", form="sure", typed={"sure": "yes"}, expected="sold numbers take part"
    )
    sealed = program.load_draw(raffle_id)["sealed"]
    console.print(f"{sealed['count']} numbers are sealed: SHA-256 {sealed['list_hash'][:16]}…")
    _wait_until(draw_at)

    console.print(Text("\n— the drum —", "bold"))
    number = secrets.choice(program.list_sold_numbers(raffle_id))
    _draw_stub(browser, pages, number=number)
    _expect_result(program, raffle_id, number=number)
    console.print(f"the stub of {number} came out; its photo is in the back office\n")
    _tell_winner(browser, pages, winner=winner, number=number)
    console.print(f"{winner.name} has claimed the prize")

    console.print(Text("\n— the record, verified as anyone can —", "bold"))
    console.print(Text(_verify_record(demo, program.download_record(raffle_id), receipt=receipt)))


def _move_draw(browser: AdminBrowser, raffle_id: int) -> datetime:
    """Move the draw to a few seconds from now, and return that time."""
    draw_at = datetime.now(tz=UTC) + TIME_TO_DRAW
    browser.submit_form(
        f"/admin/raffles/raffle/{raffle_id}/move-draw/",
        form="draw_at",
        typed={
            "when": "date",
            "draw_at": draw_at.isoformat(),
            "reason": "Everybody is here already.",
        },
        expected="The draw is moved",
    )
    return draw_at


def _draw_stub(browser: AdminBrowser, pages: str, *, number: str) -> None:
    """Enter the stub that came out of the drum, with its photo, and draw."""
    browser.submit_form(
        f"{pages}/values/",
        form="prize1-number",
        typed={"prize1-number": number},
        picture=("prize1-photo", sample_receipts.draw_stub_jpeg(number)),
        expected="Entered.",
    )
    browser.submit_form(f"{pages}/draw/", form="inputs", typed={"sure": "yes"}, expected="Drawn.")


def _tell_winner(browser: AdminBrowser, pages: str, *, winner: ScriptedBuyer, number: str) -> None:
    """Confirm and tell the winner, who allows their name, checks the number and gets the prize."""
    browser.submit_form(
        f"{pages}/winners/", form="/confirm/", typed={}, expected="The winner is confirmed"
    )
    browser.submit_form(
        f"{pages}/tell/", form="/tell/winners/", typed={}, expected="1 message on the way"
    )
    told = winner.expect_message(WON_PATTERN, buttons=CONSENT_BUTTONS)["number"]
    if told != number:
        raise DemoMismatch(f"{number} came out of the drum, and {winner.name} is told of {told}")
    winner.taps(CONSENT_BUTTONS[0])
    winner.expect_message(SHOWN_PATTERN, buttons=None)
    winner.says(f"verify {number}")
    winner.expect_message(VERIFIED_PATTERN, buttons=None)
    note = "Handed over at the club."
    browser.submit_form(
        f"{pages}/winners/", form="/claim/", typed={"note": note}, expected=f" · {note}"
    )


def _wait_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.now(tz=UTC)).total_seconds()))


def _expect_result(program: ApiClient, raffle_id: int, *, number: str) -> None:
    results = program.load_draw(raffle_id)["results"]
    if [result["number"] for result in results] != [number]:
        raise DemoMismatch(f"{number} came out of the drum, and the API shows {results}")


def _verify_record(demo: RunningDemo, record: bytes, *, receipt: DemoReceipt) -> str:
    """Run the program in a record on the record, with a buyer's receipt; return what it prints."""
    with tempfile.TemporaryDirectory(dir=demo.folder.folder) as name:
        folder = Path(name)
        file = folder / "record.zip"
        file.write_bytes(record)
        with zipfile.ZipFile(file) as archive:
            archive.extract("verify.py", folder)
        command: Sequence[str] = (
            *(sys.executable, "-I", str(folder / "verify.py"), str(file)),
            *("--receipt", receipt.entry, *receipt.head.split()),
        )
        printed = child_processes.run_command(command, environment={}, timeout=60).strip()
    if VERIFIED_WORDS not in printed:
        raise DemoMismatch(f"verify.py does not say “{VERIFIED_WORDS}”: {printed}")
    return printed


def parse_receipt(text: str) -> DemoReceipt:
    """Return the receipt in a message about a payment.

    Raises:
        DemoMismatch: the message has none.

    """
    found = re.search(RECEIPT_PATTERN, text)
    if found is None:
        raise DemoMismatch(f"no receipt in {text!r}")
    return DemoReceipt(found["entry"], head=found["head"])
