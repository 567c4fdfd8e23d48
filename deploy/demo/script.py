"""`rafflebot demo --script`: two purchases, an undo, a refund and the draw, each compared."""

import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from rich.console import Console
from rich.text import Text

from deploy import child_processes, server_commands
from deploy.child_processes import CommandFailed, ProcessFailed
from deploy.demo import draw, services
from deploy.demo.clients import AdminBrowser, ApiClient, DemoMismatch
from deploy.demo.draw import DemoReceipt
from deploy.demo.environment import DemoFolder, find_demo_ports
from deploy.demo.scripted_buyer import ScriptedBuyer
from deploy.demo.services import RunningDemo
from deploy.exit_codes import INTERRUPTED_EXIT_CODE
from deploy.sandbox.client import SandboxClient, SandboxRefused

MAX_MESSAGES_PER_PURCHASE: Final = 6
"""Messages that the bot may send per purchase; every message costs the seller money."""

RAFFLE_CARD_PATTERN: Final = (
    r"\*Summer Raffle\* · win a motorbike.*\$5\.00 a number · \d+ of 100 left"
)
HELD_PATTERN: Final = (
    r"Held for you until .*\d\d:\d\d( \(.* left\))?:\n\*(?P<numbers>[\d · ]+)\*\nTotal \$15\.00"
)
PAYMENT_REQUEST_PATTERN: Final = (
    r"Order \*(?P<code>R-[0-9A-Z]{5})\* · please pay \$15\.00 by .*\d\d:\d\d( \(.* left\))?\n"
    r"Bank of Example.*(?P=code) as the reference"
)
PAID_PATTERN: Final = r"Paid.*\*(?P<numbers>[\d · ]+)\* are yours"
UNCONFIRMED_PATTERN: Final = r"(?P<code>R-[0-9A-Z]{5}).*once more"
REFUNDED_PATTERN: Final = r"\$15\.00 for order \*(?P<code>R-[0-9A-Z]{5})\*.*back.*By bank transfer"


@dataclass(frozen=True)
class PlacedPurchase:
    """A purchase whose order waits for the seller."""

    code: str
    numbers: tuple[str, ...]


def run_script(console: Console) -> int:
    """Run the script in a temporary folder and on free ports, and clean up.

    Returns:
        The exit code: 0 only if everything was as expected.

    """
    folder = Path(tempfile.mkdtemp(prefix="rafflebot-demo-"))
    report = services.build_progress_printer(console)
    try:
        ports = find_demo_ports(0, 0, 0)
        with services.run_demo_services(
            DemoFolder(folder), ports=ports, report=report, static=False
        ) as demo:
            _play_script(demo, console)
    except KeyboardInterrupt:
        console.print("stopped")
        return INTERRUPTED_EXIT_CODE
    except (CommandFailed, ProcessFailed) as error:  # these have the end of the log themselves
        console.print(Text(f"\nThe demo failed: {error}", "red"))
        return 1
    except (DemoMismatch, SandboxRefused, httpx.HTTPError) as error:
        console.print(Text(f"\nThe demo failed: {error}", "red"))
        console.print(
            "The gateway's log ends:\n"
            f"{child_processes.read_log_tail(DemoFolder(folder).logs_folder / 'gateway.log')}"
        )
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    console.print(Text("\nEverything is as it should be.", "green"))
    return 0


def _play_script(demo: RunningDemo, console: Console) -> None:
    with (
        SandboxClient(demo.sandbox_url) as sandbox,
        AdminBrowser(demo.backoffice_url) as browser,
        ApiClient(demo.backoffice_url, token=demo.seeded.token) as program,
    ):
        ana = ScriptedBuyer(sandbox.buyer("15550100101", name="Ana"), name="Ana", console=console)
        hers = _buy_random_numbers(ana)
        console.print(Text("\n— the seller, in the back office —", "bold"))
        program.wait_for_kept_proof(hers.code)
        browser.log_in(username=demo.username, password=demo.password)
        browser.confirm_payment(hers.code)
        console.print(f"{hers.code}: receipt seen, payment confirmed\n")
        _expect_paid_message(ana, hers)

        ben = ScriptedBuyer(sandbox.buyer("15550100102", name="Ben"), name="Ben", console=console)
        his = _buy_picked_numbers(ben, taken=hers.numbers)
        console.print(Text("\n— a workflow, over the API —", "bold"))
        program.confirm_payment(program.wait_for_kept_proof(his.code))
        console.print(f"{his.code}: receipt kept, payment confirmed\n")
        _expect_paid_message(ben, his)

        _check_message_counts(sandbox, (ana, ben), console=console)

        console.print(Text("\n— a wrong click is taken back, then the money arrives —", "bold"))
        program.undo_confirmation(program.load_order(hers.code), reason="Clicked by mistake.")
        _expect_message_about(ana, hers, UNCONFIRMED_PATTERN)
        browser.confirm_payment(hers.code)
        receipt = _expect_paid_message(ana, hers)

        console.print(Text("\n— a refund —", "bold"))
        program.refund(program.load_order(his.code), note="By bank transfer.", reference="REF-1")
        _expect_message_about(ben, his, REFUNDED_PATTERN)

        console.print(Text("\n— the books —", "bold"))
        _check_order(program, hers, status="PAID")
        _check_order(program, his, status="CANCELLED")
        _check_inventory(demo, console=console)

        draw.play_draw(
            demo, browser=browser, program=program, winner=ana, receipt=receipt, console=console
        )


def _buy_random_numbers(buyer: ScriptedBuyer) -> PlacedPurchase:
    _request_raffle_card(buyer)
    buyer.taps("Random numbers")
    buyer.expect_message(r"How many numbers\? 1 to 20", buttons=("1", "3", "5"))
    buyer.says("3 please")
    return _confirm_and_pay(buyer)


def _buy_picked_numbers(buyer: ScriptedBuyer, *, taken: Sequence[str]) -> PlacedPurchase:
    free = [number for number in ("07", "13", "45", "66", "82", "99") if number not in taken]
    wanted = tuple(free[:3])
    _request_raffle_card(buyer)
    buyer.taps("Pick my numbers")
    buyer.expect_message(
        "Which numbers would you like, from 00 to 99", buttons=("Random instead", "Menu")
    )
    buyer.says("{}, {} and {}".format(*wanted))
    bought = _confirm_and_pay(buyer)
    if bought.numbers != wanted:
        raise DemoMismatch(f"{buyer.name} asked for {wanted} and got {bought.numbers}")
    return bought


def _request_raffle_card(buyer: ScriptedBuyer) -> None:
    buyer.says("hi")
    buyer.expect_message(
        RAFFLE_CARD_PATTERN, buttons=("Random numbers", "Pick my numbers", "My tickets")
    )


def _confirm_and_pay(buyer: ScriptedBuyer) -> PlacedPurchase:
    held = _parse_ticket_numbers(
        buyer.expect_message(HELD_PATTERN, buttons=("Confirm", "Other numbers", "Cancel"))
    )
    if len(set(held)) != 3 or any(len(number) != 2 for number in held):  # noqa: PLR2004
        raise DemoMismatch(f"{buyer.name} wants three numbers of two digits and got {held}")
    buyer.taps("Confirm")
    code = buyer.expect_message(PAYMENT_REQUEST_PATTERN)["code"]
    buyer.sends_receipt("$15.00", code, buyer.name)
    buyer.expect_message("Got it. We are checking the payment of order")
    return PlacedPurchase(code=code, numbers=held)


def _expect_paid_message(buyer: ScriptedBuyer, purchase: PlacedPurchase) -> DemoReceipt:
    """Compare the numbers of the next message with those of a purchase; return its receipt."""
    found = buyer.expect_message(PAID_PATTERN)
    paid = _parse_ticket_numbers(found)
    if paid != purchase.numbers:
        raise DemoMismatch(f"{buyer.name} held {purchase.numbers} and is told {paid}")
    return draw.parse_receipt(found.string)


def _parse_ticket_numbers(found: re.Match[str]) -> tuple[str, ...]:
    return tuple(re.findall(r"\d+", found["numbers"]))


def _expect_message_about(buyer: ScriptedBuyer, purchase: PlacedPurchase, pattern: str) -> None:
    code = buyer.expect_message(pattern, buttons=None)["code"]
    if code != purchase.code:
        raise DemoMismatch(f"{buyer.name} bought {purchase.code} and is told about {code}")


def _check_order(program: ApiClient, purchase: PlacedPurchase, *, status: str) -> None:
    order = program.load_order(purchase.code)
    if order["status"] != status or tuple(order["numbers"]) != purchase.numbers:
        raise DemoMismatch(f"the API shows {order['status']} {order['numbers']}: {purchase}")


def _check_message_counts(
    sandbox: SandboxClient, buyers: Sequence[ScriptedBuyer], *, console: Console
) -> None:
    for buyer in buyers:
        sent = len(sandbox.outgoing(to=buyer.buyer.wa_id))
        console.print(f"{buyer.name} got {sent} messages")
        if sent > MAX_MESSAGES_PER_PURCHASE:
            raise DemoMismatch(
                f"{buyer.name} got {sent} messages, more than {MAX_MESSAGES_PER_PURCHASE}"
            )


def _check_inventory(demo: RunningDemo, *, console: Console) -> None:
    command = server_commands.build_manage_command("check_inventory")
    output = child_processes.run_command(command, environment=demo.environment, timeout=60)
    console.print(f"manage check_inventory: {output.strip()}")
