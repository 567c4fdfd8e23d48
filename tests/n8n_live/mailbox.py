"""A mail server that keeps all it is given and sends nothing on: where a trial reads its mail.

It knows as much of SMTP (RFC 5321) as a client needs to hand over a message.
"""

import email
import socketserver
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.policy import default
from typing import Final, Self, cast

from deploy.child_processes import LOOPBACK_HOST

MAX_LINE_BYTES: Final = 1024 * 1024
_SMTP_REPLIES: Final = {b"RCPT": "250 OK", b"MAIL": "250 OK", b"RSET": "250 OK", b"NOOP": "250 OK"}


class MailNotReceived(Exception):
    """The mail that was waited for did not come in time; the message lists what came instead."""


@dataclass(frozen=True)
class ReceivedMail:
    """A mail as its reader sees it."""

    to: str
    subject: str
    text: str
    """Of all its parts, plain and HTML."""


class _SmtpSession(socketserver.StreamRequestHandler):
    """One client's conversation."""

    def handle(self) -> None:
        """Answer command after command until the client says good-bye."""
        self._say("220 mailbox")
        while line := self.rfile.readline(MAX_LINE_BYTES):
            verb = line[:4].upper()
            if verb in (b"EHLO", b"HELO"):
                self._say("250 mailbox")
            elif verb == b"DATA":
                self._say("354 go on")
                cast("Mailbox", self.server).keep(self._data())
                self._say("250 kept")
            elif verb == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say(_SMTP_REPLIES.get(verb, "502 not known here"))

    def _data(self) -> bytes:
        lines = []
        while (line := self.rfile.readline(MAX_LINE_BYTES)) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


class Mailbox(socketserver.ThreadingTCPServer):
    """Listens on a port of loopback in a thread of its own, within a `with`."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((LOOPBACK_HOST, 0), _SmtpSession)
        self._kept: list[ReceivedMail] = []
        self._arrived = threading.Condition()

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, name="mailbox", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    @property
    def port(self) -> int:
        """Where it listens."""
        number: int = self.socket.getsockname()[1]
        return number

    def keep(self, raw: bytes) -> None:
        """Keep a message as it came over the wire."""
        message = email.message_from_bytes(raw, policy=default)
        parts = [part for part in message.walk() if part.get_content_maintype() == "text"]
        text = "\n".join(part.get_content() for part in parts)
        with self._arrived:
            self._kept.append(ReceivedMail(str(message["to"]), str(message["subject"]), text))
            self._arrived.notify_all()

    def waits_for(self, wanted: Callable[[ReceivedMail], bool], *, timeout: float) -> ReceivedMail:
        """Wait for a mail, and take it out.

        Args:
            wanted: says whether it is the one.
            timeout: seconds.

        Raises:
            NoMail: it did not come in time.

        """
        ends = time.monotonic() + timeout
        with self._arrived:
            while True:
                for mail in self._kept:
                    if wanted(mail):
                        self._kept.remove(mail)
                        return mail
                left = ends - time.monotonic()
                if left <= 0:
                    came = [mail.subject for mail in self._kept]
                    raise MailNotReceived(f"no such mail within {timeout:.0f} s; came: {came}")
                self._arrived.wait(left)
