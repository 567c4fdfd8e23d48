"""Mail server of a trial: it stores all messages and forwards none.

It implements the part of SMTP (RFC 5321) that a client needs to deliver a message.
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
    """The expected mail did not arrive in time; the message lists the received subjects."""


@dataclass(frozen=True)
class ReceivedMail:
    """A mail as the reader sees it."""

    to: str
    subject: str
    text: str
    """Text of all parts, plain and HTML."""


class _SmtpSession(socketserver.StreamRequestHandler):
    """SMTP session of one client."""

    def handle(self) -> None:
        """Answer commands until the client sends QUIT."""
        self._reply("220 mailbox")
        while line := self.rfile.readline(MAX_LINE_BYTES):
            verb = line[:4].upper()
            if verb in (b"EHLO", b"HELO"):
                self._reply("250 mailbox")
            elif verb == b"DATA":
                self._reply("354 go on")
                cast("Mailbox", self.server).store_message(self._read_data())
                self._reply("250 kept")
            elif verb == b"QUIT":
                self._reply("221 bye")
                return
            else:
                self._reply(_SMTP_REPLIES.get(verb, "502 not known here"))

    def _read_data(self) -> bytes:
        lines = []
        while (line := self.rfile.readline(MAX_LINE_BYTES)) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)

    def _reply(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


class Mailbox(socketserver.ThreadingTCPServer):
    """SMTP server on a loopback port, running in a thread while the `with` block lasts."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((LOOPBACK_HOST, 0), _SmtpSession)
        self._mails: list[ReceivedMail] = []
        self._arrived = threading.Condition()

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, name="mailbox", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    @property
    def port(self) -> int:
        """Return the port of the server."""
        number: int = self.socket.getsockname()[1]
        return number

    def store_message(self, raw: bytes) -> None:
        """Store a message in its transfer format."""
        message = email.message_from_bytes(raw, policy=default)
        parts = [part for part in message.walk() if part.get_content_maintype() == "text"]
        text = "\n".join(part.get_content() for part in parts)
        with self._arrived:
            self._mails.append(ReceivedMail(str(message["to"]), str(message["subject"]), text))
            self._arrived.notify_all()

    def wait_for_mail(
        self, wanted: Callable[[ReceivedMail], bool], *, timeout: float
    ) -> ReceivedMail:
        """Wait for a mail, remove it from the mailbox and return it.

        Args:
            wanted: returns whether a mail is the expected one.
            timeout: time limit in seconds.

        Raises:
            MailNotReceived: the mail did not arrive in time.

        """
        ends = time.monotonic() + timeout
        with self._arrived:
            while True:
                for mail in self._mails:
                    if wanted(mail):
                        self._mails.remove(mail)
                        return mail
                left = ends - time.monotonic()
                if left <= 0:
                    came = [mail.subject for mail in self._mails]
                    raise MailNotReceived(f"no such mail within {timeout:.0f} s; came: {came}")
                self._arrived.wait(left)
