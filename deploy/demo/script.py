"""`rafflebot demo --script`: two buyers and a seller play by themselves, and all is compared."""

import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
from rich.console import Console
from rich.text import Text

from deploy import child_processes
from deploy.child_processes import CommandFailed, ProcessFailed
from deploy.demo import interactive, services
from deploy.demo.clients import Browser, NotAsExpected, Program
from deploy.demo.environment import Home
from deploy.demo.services import House
from deploy.sandbox.client import Buyer, NothingSeen, Sandbox, SandboxRefused, Seen
from deploy.sandbox.phone import bubbles, sample_receipts

MOST_MESSAGES: Final = 6
"""What the bot may send in a purchase: every one costs the seller money."""
PATIENCE: Final = 20.0
"""Seconds an answer is waited for; a cold, busy machine needs some of them."""

CARD: Final = r"\*Summer Raffle\* · win a motorbike.*\$5\.00 a number · \d+ of 100 left"
HELD: Final = r"Held for you until .*\d\d:\d\d: +\*(?P<numbers>[\d · ]+)\*\nTotal \$15\.00"
TO_PAY: Final = (
    r"Order \*(?P<code>R-[0-9A-Z]{5})\* · please pay \$15\.00 by .*\d\d:\d\d\n"
    r"Bank of Example.*(?P=code) as the reference"
)
PAID: Final = r"Paid.*\*(?P<numbers>[\d · ]+)\* are yours"


@dataclass(frozen=True)
class Purchase:
    """What a buyer came to: an order that waits for the seller."""

    code: str
    numbers: tuple[str, ...]


class Player:
    """A buyer who keeps to the script and prints both sides of the chat."""

    def __init__(self, buyer: Buyer, *, name: str, console: Console) -> None:
        self.buyer = buyer
        self.name = name
        self._console = console
        self._heard = 0
        console.print(Text(f"\n— {name}'s phone —", "bold"))

    def says(self, text: str) -> None:
        """Write a text."""
        self._sent(self.buyer.says(text))

    def taps(self, title: str) -> None:
        """Tap a button of the newest message."""
        self._sent(self.buyer.taps(title))

    def sends_receipt(self, *lines: str) -> None:
        """Send a picture of a receipt."""
        self._sent(
            self.buyer.sends_picture(sample_receipts.picture(lines, at=datetime.now(tz=UTC)))
        )

    def hears(self, pattern: str, *, buttons: Sequence[str] = ()) -> re.Match[str]:
        """Wait for the next message of the bot and compare it.

        Args:
            pattern: a regular expression its text must contain; a dot also fits line ends.
            buttons: the titles it must have.

        Raises:
            NotAsExpected: nothing came, or something else.

        """
        try:
            message = self.buyer.waits_for(1, after=self._heard, timeout=PATIENCE)[0]
        except NothingSeen:
            raise NotAsExpected(f"{self.name} waits for /{pattern}/ and hears nothing") from None
        self._heard = message.n
        bubbles.show(self._console, message)
        found = re.search(pattern, message.text, re.DOTALL)
        if found is None:
            raise NotAsExpected(f"{self.name} expects /{pattern}/ and reads {message.text!r}")
        if message.titles != list(buttons):
            raise NotAsExpected(f"{self.name} expects {buttons} and can tap {message.titles}")
        return found

    def _sent(self, number: int) -> None:
        self._heard = max(self._heard, number)
        bubbles.show(self._console, self._entry(number))

    def _entry(self, number: int) -> Seen:
        return self.buyer.sees(after=number - 1, read=False)[0]


def run(console: Console) -> int:
    """Play everything in a folder and on ports of its own, and clean up.

    Returns:
        The exit code: 0 only if everything was as the script says.

    """
    folder = Path(tempfile.mkdtemp(prefix="rafflebot-demo-"))
    tell = interactive.announcing(console)
    try:
        ports = interactive.ports(0, 0, 0)
        with services.running(Home(folder), ports=ports, tell=tell, static=False) as opened:
            _play(opened, console)
    except KeyboardInterrupt:
        console.print("stopped")
        return interactive.INTERRUPTED
    except (CommandFailed, ProcessFailed) as error:  # these say the end of the log themselves
        console.print(Text(f"\nThe demo failed: {error}", "red"))
        return 1
    except (NotAsExpected, SandboxRefused, httpx.HTTPError) as error:
        console.print(Text(f"\nThe demo failed: {error}", "red"))
        console.print(
            f"The gateway's log ends:\n{child_processes.tail(Home(folder).logs / 'gateway.log')}"
        )
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    console.print(Text("\nEverything is as it should be.", "green"))
    return 0


def _play(opened: House, console: Console) -> None:
    with (
        Sandbox(opened.meta) as sandbox,
        Browser(opened.backoffice) as browser,
        Program(opened.backoffice, token=opened.seeded.token) as program,
    ):
        ana = Player(sandbox.buyer("15550100101", name="Ana"), name="Ana", console=console)
        hers = _buy_random(ana)
        console.print(Text("\n— the seller, in the back office —", "bold"))
        program.order_with_kept_proof(hers.code)
        browser.log_in(username=opened.username, password=opened.password)
        browser.confirm_payment(hers.code)
        console.print(f"{hers.code}: receipt seen, payment confirmed\n")
        _hear_paid(ana, hers)

        ben = Player(sandbox.buyer("15550100102", name="Ben"), name="Ben", console=console)
        his = _buy_picked(ben, taken=hers.numbers)
        console.print(Text("\n— a workflow, over the API —", "bold"))
        program.confirm_payment(program.order_with_kept_proof(his.code))
        console.print(f"{his.code}: receipt kept, payment confirmed\n")
        _hear_paid(ben, his)

        console.print(Text("\n— the books —", "bold"))
        _compare_orders(program, (hers, his))
        _count_messages(sandbox, (ana, ben), console=console)
    _check_inventory(opened, console=console)


def _buy_random(player: Player) -> Purchase:
    _open_card(player)
    player.taps("Random numbers")
    player.hears(r"How many numbers\? 1 to 20", buttons=("1", "3", "5"))
    player.says("3 please")
    return _hold_and_pay(player)


def _buy_picked(player: Player, *, taken: Sequence[str]) -> Purchase:
    free = [number for number in ("07", "13", "45", "66", "82", "99") if number not in taken]
    wanted = tuple(free[:3])
    _open_card(player)
    player.taps("Pick my numbers")
    player.hears("Which numbers would you like, from 00 to 99", buttons=("Random instead", "Menu"))
    player.says("{}, {} and {}".format(*wanted))
    bought = _hold_and_pay(player)
    if bought.numbers != wanted:
        raise NotAsExpected(f"{player.name} asked for {wanted} and got {bought.numbers}")
    return bought


def _open_card(player: Player) -> None:
    player.says("hi")
    player.hears(CARD, buttons=("Random numbers", "Pick my numbers", "My tickets"))


def _hold_and_pay(player: Player) -> Purchase:
    held = _numbers(player.hears(HELD, buttons=("Confirm", "Other numbers", "Cancel")))
    if len(set(held)) != 3 or any(len(number) != 2 for number in held):  # noqa: PLR2004
        raise NotAsExpected(f"{player.name} wants three numbers of two digits and got {held}")
    player.taps("Confirm")
    code = player.hears(TO_PAY)["code"]
    player.sends_receipt("$15.00", code, player.name)
    player.hears("Got it. Your numbers stay yours while we check the payment")
    return Purchase(code=code, numbers=held)


def _hear_paid(player: Player, purchase: Purchase) -> None:
    paid = _numbers(player.hears(PAID))
    if paid != purchase.numbers:
        raise NotAsExpected(f"{player.name} held {purchase.numbers} and is told {paid}")


def _numbers(found: re.Match[str]) -> tuple[str, ...]:
    return tuple(re.findall(r"\d+", found["numbers"]))


def _compare_orders(program: Program, purchases: Sequence[Purchase]) -> None:
    for purchase in purchases:
        order = program.order(purchase.code)
        if order["status"] != "PAID" or tuple(order["numbers"]) != purchase.numbers:
            raise NotAsExpected(f"the API shows {order['status']} {order['numbers']}: {purchase}")


def _count_messages(sandbox: Sandbox, players: Sequence[Player], *, console: Console) -> None:
    for player in players:
        sent = len(sandbox.outgoing(to=player.buyer.wa_id))
        console.print(f"{player.name} got {sent} messages")
        if sent > MOST_MESSAGES:
            raise NotAsExpected(f"{player.name} got {sent} messages, more than {MOST_MESSAGES}")


def _check_inventory(opened: House, *, console: Console) -> None:
    command = [sys.executable, "-m", "backoffice.manage", "check_inventory"]
    said = child_processes.run(command, environment=opened.environment, timeout=60)
    console.print(f"manage check_inventory: {said.strip()}")
