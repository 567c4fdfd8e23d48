"""A buyer's phone in the terminal, which sends messages to the bot and shows its answers."""

import contextlib
import re
import readline
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import httpx
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.text import Text

from deploy.sandbox import sample_receipts
from deploy.sandbox.client import BuyerClient, SandboxClient, SandboxRefused, SeenMessage
from deploy.sandbox.phone import bubbles

PROMPT_HINT: Final = "type to write · /1 taps [1] · /photo · /as NAME · /help · /quit"
HELP_TEXT: Final = """\
Every line without a slash at its beginning is a message to the raffle.

/1  /2  …      tap the button or row with that number
/photo [FILE]  send a picture; without a file, a receipt drawn for the occasion
/pdf [FILE]    the same as a document
/as NAME       be another buyer, e.g. /as Ben or /as 15550100123; /as alone lists them
/wait [N]      wait for the next message, N seconds at most (20)
/info          addresses, login and log files
/quit          end the demo; Ctrl-C and Ctrl-D do so too
//…            write a message that begins with a slash"""

ANSWER_TIMEOUT_SECONDS: Final = 8.0
DEFAULT_WAIT_SECONDS: Final = 20.0
"""Seconds that /wait waits by default."""
QUIET_SECONDS: Final = 0.4
"""Seconds without a further message after which the answer is complete."""
POLL_SECONDS: Final = 0.5
"""Seconds for which a request for new messages stays open, and so the longest time to quit."""
ACCEPTANCE_TIMEOUT_SECONDS: Final = 3
"""Seconds to wait for the gateway's 200, so that the first ticks are right."""
_PAYMENT_REQUEST: Final = re.compile(
    r"Order \*?(?P<code>R-[0-9A-Z]{5,6})\*? · please pay (?P<amount>\S.*?) by "
)
"""The bot's message that a receipt answers."""


class PhonePutAway(Exception):
    """The user quits the phone."""


class CommandNotUnderstood(Exception):
    """The typed command is not valid; the message says why."""


@dataclass
class PhoneChat:
    """A buyer's chat and its unread messages."""

    name: str
    buyer: BuyerClient
    seen: int
    """Number of the last entry that was received."""
    unread: list[SeenMessage] = field(default_factory=list)
    tappable: SeenMessage | None = None
    """The newest message with buttons or rows."""
    incoming_count: int = 0
    """Number of messages received from the business."""


class TerminalPhone:
    """A phone that runs typed commands and prints all messages, also those without a question.

    One thread per buyer waits for new messages. Sending and printing hold the lock, so that an
    answer is never printed above its question.
    """

    def __init__(
        self,
        *,
        sandbox: SandboxClient,
        console: Console,
        info: RenderableType,
        after_receipt: Callable[[str], RenderableType] | None = None,
        timeout: float = ANSWER_TIMEOUT_SECONDS,
    ) -> None:
        """Open the phone with the chat of Ana.

        Args:
            sandbox: client of the stand-in; `run_commands` closes it.
            console: shows the chat.
            info: what `/info` shows.
            after_receipt: builds what is shown after a receipt for the order with a code.
            timeout: seconds to wait for an answer before the next line is read.

        """
        self._timeout = timeout
        self._sandbox = sandbox
        self._console = console
        self._info = info
        self._after_receipt = after_receipt
        self._news = threading.Condition(threading.RLock())
        self._chats: dict[str, PhoneChat] = {}
        self._watchers: list[threading.Thread] = []
        self._closing = False
        self._prompt = ""
        self._interactive = console.is_terminal and sys.stdin.isatty()
        self._current = self._find_or_open_chat("Ana")
        self._commands: dict[str, Callable[[str], None]] = {
            "photo": self._send_photo,
            "pdf": self._send_pdf,
            "as": self._switch_buyer,
            "wait": self._wait,
            "info": lambda _: self._print(self._info),
            "help": lambda _: self._print(Text(HELP_TEXT, "dim")),
            "quit": self._quit,
        }

    def run_commands(self, lines: Iterable[str] | None = None) -> None:
        """Run each line until there are no more or one is /quit.

        Args:
            lines: the typed lines; standard input by default.

        """
        try:
            with contextlib.suppress(PhonePutAway, EOFError):
                for line in self._read_lines() if lines is None else lines:
                    self._run_command(line.strip())
        finally:
            self._closing = True
            for watcher in self._watchers:
                watcher.join()
            self._sandbox.close()

    def _run_command(self, line: str) -> None:
        try:
            if not line.startswith("/") or line.startswith("//"):
                self._send_message("text", text=line.removeprefix("/")) if line else None
            elif line[1:].isdecimal():
                self._tap(int(line[1:]))
            else:
                word, _, rest = line[1:].partition(" ")
                self._commands.get(word.lower(), self._unknown)(rest.strip())
        except (CommandNotUnderstood, SandboxRefused) as error:
            self._print(Text(str(error), "yellow"))
        except httpx.TransportError:
            self._print(Text("The stand-in for Meta does not answer; see its log file.", "red"))

    # input

    def _read_lines(self) -> Iterator[str]:
        if not self._interactive:
            yield from sys.stdin
            return
        while True:
            with self._news:
                self._prompt = f"{self._current.name}> "
                self._print_prompt_hint()
            line = input(self._prompt)
            with self._news:
                # the line is printed in the chat in a moment
                self._erase_prompt(self._prompt + line, rows_below=1)
                self._prompt = ""
            yield line

    def _print_prompt_hint(self) -> None:
        """Print the hint in one row, which `_erase_prompt` counts on."""
        self._console.print(Text(PROMPT_HINT, "dim"), no_wrap=True, overflow="ellipsis")

    def _erase_prompt(self, typed: str, *, rows_below: int = 0) -> None:
        """Erase the hint and the typed line, which takes several rows in a narrow terminal."""
        rows = 1 + cell_len(typed) // self._console.width + rows_below
        print(f"\r\x1b[{rows}A\x1b[J", end="", flush=True)

    def _send_message(self, kind: str, **more: Any) -> None:
        self._send(lambda buyer: buyer.sends(kind, **more, wait=ACCEPTANCE_TIMEOUT_SECONDS))

    def _send(self, send: Callable[[BuyerClient], int]) -> None:
        with self._news:
            chat = self._current
            count = chat.incoming_count
            number = send(chat.buyer)
            message = chat.buyer.sees(after=number - 1, read=False)[0]
            self._show(message)
            if message.status == "sent":
                self._print(Text("The gateway has not taken it yet; it will be sent again.", "dim"))
        self._wait_for_answers(count, timeout=self._timeout)

    def _tap(self, index: int) -> None:
        message = self._current.tappable
        if message is None:
            raise CommandNotUnderstood("There is nothing to tap yet: write something, e.g. hi.")
        if not 1 <= index <= len(message.choices):
            raise CommandNotUnderstood(
                f"There is no [{index}]; to write the number itself, leave the / out."
            )
        self._send_message("tap", index=index, of=message.id)

    def _send_photo(self, path: str) -> None:
        content = _read_file(path) if path else self._draw(sample_receipts.draw_receipt_jpeg)
        self._send_receipt(
            lambda buyer: buyer.sends_picture(content, wait=ACCEPTANCE_TIMEOUT_SECONDS)
        )

    def _send_pdf(self, path: str) -> None:
        content = _read_file(path) if path else self._draw(sample_receipts.draw_receipt_pdf)
        name = Path(path).name or "receipt.pdf"
        self._send_receipt(
            lambda buyer: buyer.sends_document(
                content, filename=name, wait=ACCEPTANCE_TIMEOUT_SECONDS
            )
        )

    def _draw(self, draw: Callable[..., bytes]) -> bytes:
        """Draw a receipt of the buyer for what the bot asked them to pay last, if anything."""
        asked = self._find_payment_request()
        lines = [asked["amount"], f"Reference: {asked['code']}"] if asked else []
        return draw([*lines, f"From: {self._current.name}"], at=datetime.now(tz=UTC))

    def _send_receipt(self, send: Callable[[BuyerClient], int]) -> None:
        """Send a file and, if it can be for an order, show what the seller does next."""
        self._send(send)
        asked = self._find_payment_request()
        if asked and self._after_receipt:
            self._print(self._after_receipt(asked["code"]))

    def _find_payment_request(self) -> re.Match[str] | None:
        """Return the newest request for a payment in the current chat."""
        messages = reversed(self._current.buyer.sees(read=False))
        requests = (
            _PAYMENT_REQUEST.search(message.text)
            for message in messages
            if message.sender == "business"
        )
        return next(filter(None, requests), None)

    def _switch_buyer(self, who: str) -> None:
        if not who:
            people = (f"{chat.name}  +{chat.buyer.wa_id}" for chat in self._chats.values())
            self._print(Text("\n".join(people)))
            return
        chat = self._find_or_open_chat(who)
        with self._news:
            self._current = chat
            self._print(Text(f"— {chat.name}'s phone, +{chat.buyer.wa_id} —", "dim"))
            unread, chat.unread = chat.unread, []
            for message in unread:
                self._show(message)
        if unread:  # tell the business that they are read
            chat.buyer.sees(after=unread[0].n - 1)

    def _wait(self, seconds: str) -> None:
        if seconds and not seconds.isdecimal():
            raise CommandNotUnderstood("How many seconds? For example /wait 30.")
        self._wait_for_answers(
            self._current.incoming_count, timeout=float(seconds or DEFAULT_WAIT_SECONDS)
        )

    def _quit(self, _: str) -> None:
        raise PhonePutAway

    def _unknown(self, _: str) -> None:
        raise CommandNotUnderstood(
            "There is no such command; /help lists them. //… writes a slash."
        )

    # incoming messages

    def _find_or_open_chat(self, who: str) -> PhoneChat:
        known = self._chats.get(who.lower())
        if known:
            return known
        wa_id = derive_phone_number(who)
        buyer = self._sandbox.buyer(wa_id, name=who)
        before = buyer.sees(read=False)
        chat = PhoneChat(name=who, buyer=buyer, seen=before[-1].n if before else 0)
        self._chats[who.lower()] = chat
        watcher = threading.Thread(target=self._watch, args=(chat,), daemon=True)
        self._watchers.append(watcher)
        watcher.start()
        return chat

    def _watch(self, chat: PhoneChat) -> None:
        while not self._closing:
            looks = len(self._chats) == 1 or chat is self._current
            try:
                news = chat.buyer.sees(after=chat.seen, wait=POLL_SECONDS, read=looks)
            except httpx.HTTPError:  # the stand-in is gone; the next message to it prints an error
                time.sleep(POLL_SECONDS)
                continue
            with self._news:
                for message in news:
                    chat.seen = message.n
                    if message.sender == "business":
                        self._receive_message(chat, message)
                self._news.notify_all()

    def _receive_message(self, chat: PhoneChat, message: SeenMessage) -> None:
        chat.incoming_count += 1
        if message.choices:
            chat.tappable = message
        if chat is self._current:
            self._show(message)
        else:
            chat.unread.append(message)
            self._print(Text(f"({chat.name} has a new message: /as {chat.name})", "yellow"))

    def _wait_for_answers(self, count: int, *, timeout: float) -> None:
        """Wait until there are more than `count` messages, then until no more follow."""
        chat = self._current
        with self._news:
            while self._news.wait_for(partial(_has_new_message, chat, count), timeout=timeout):
                count, timeout = chat.incoming_count, QUIET_SECONDS

    def _show(self, message: SeenMessage) -> None:
        with self._printing_above_prompt():
            bubbles.print_message(self._console, message)

    def _print(self, content: RenderableType) -> None:
        with self._printing_above_prompt():
            self._console.print(content, crop=False)  # a command to copy is not cut

    @contextlib.contextmanager
    def _printing_above_prompt(self) -> Iterator[None]:
        """Print in place of the footer and the half-typed line, then show both again below."""
        with self._news:
            if self._prompt:
                self._erase_prompt(self._prompt + readline.get_line_buffer())
            yield
            if self._prompt:
                self._print_prompt_hint()
                print(self._prompt + readline.get_line_buffer(), end="", flush=True)


def derive_phone_number(who: str) -> str:
    """Return a buyer's phone number: the typed one, or one derived from the name.

    A name has the same number in every demo, from a range that is reserved for fiction.
    """
    typed = who.removeprefix("+")
    return typed if typed.isdecimal() else f"1555010{crc32(who.lower().encode()) % 10_000:04d}"


def _has_new_message(chat: PhoneChat, count: int) -> bool:
    return chat.incoming_count > count


def _read_file(path: str) -> bytes:
    file = Path(path.strip("'\"")).expanduser()
    if not file.is_file():
        raise CommandNotUnderstood(f"There is no file {file}.")
    return file.read_bytes()
