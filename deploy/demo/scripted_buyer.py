"""A buyer of the demo's script, whose chat is printed and compared."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.text import Text

from deploy.demo.clients import DemoMismatch
from deploy.sandbox import sample_receipts
from deploy.sandbox.client import BuyerClient, NothingSeen, SeenMessage
from deploy.sandbox.phone import bubbles

ANSWER_TIMEOUT_SECONDS: Final = 20.0
"""Seconds to wait for an answer; a slow machine needs some of them."""


class ScriptedBuyer:
    """A buyer who follows the script and prints both sides of the chat."""

    def __init__(self, buyer: BuyerClient, *, name: str, console: Console) -> None:
        self.buyer = buyer
        self.name = name
        self._console = console
        self._last_number = 0
        console.print(Text(f"\n— {name}'s phone —", "bold"))

    def says(self, text: str) -> None:
        """Write a text."""
        self._print_sent(self.buyer.says(text))

    def taps(self, title: str) -> None:
        """Tap a button of the newest message."""
        self._print_sent(self.buyer.taps(title))

    def sends_receipt(self, *lines: str) -> None:
        """Send a picture of a receipt."""
        self._print_sent(
            self.buyer.sends_picture(
                sample_receipts.draw_receipt_jpeg(lines, at=datetime.now(tz=UTC))
            )
        )

    def expect_message(self, pattern: str, *, buttons: Sequence[str] | None = ()) -> re.Match[str]:
        """Wait for the next message of the bot and compare it.

        Args:
            pattern: a regular expression its text must contain; a dot also fits line ends.
            buttons: the titles of its buttons, in order; None: any.

        Raises:
            DemoMismatch: no message came, or another one.

        """
        try:
            message = self.buyer.waits_for(
                1, after=self._last_number, timeout=ANSWER_TIMEOUT_SECONDS
            )[0]
        except NothingSeen:
            raise DemoMismatch(f"{self.name} waits for /{pattern}/ and hears nothing") from None
        self._last_number = message.n
        bubbles.print_message(self._console, message)
        found = re.search(pattern, message.text, re.DOTALL)
        if found is None:
            raise DemoMismatch(f"{self.name} expects /{pattern}/ and reads {message.text!r}")
        if buttons is not None and message.titles != list(buttons):
            raise DemoMismatch(f"{self.name} expects {buttons} and can tap {message.titles}")
        return found

    def _print_sent(self, number: int) -> None:
        self._last_number = max(self._last_number, number)
        bubbles.print_message(self._console, self._load_message(number))

    def _load_message(self, number: int) -> SeenMessage:
        return self.buyer.sees(after=number - 1, read=False)[0]
