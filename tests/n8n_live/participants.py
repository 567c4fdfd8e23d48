"""Who takes part in a trial: buyers with a phone, a seller who reads mail and fills in a form."""

import html
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import count
from typing import Final, Self

import httpx

from deploy.sandbox import client, sample_receipts
from deploy.sandbox.client import SandboxClient
from tests.n8n_live.mailbox import Mailbox, MailNotReceived, ReceivedMail

WAIT_TIMEOUT_SECONDS: Final = 60.0
"""Seconds anything is waited for: n8n on a busy machine takes its time."""

_LINK_PATTERN: Final = re.compile(r"https?://[^\s\"'<>]+")
_FORM_FIELD_PATTERN: Final = re.compile(
    r"""<(?:input|select|textarea)\b[^>]*\sname=["'](field-\d+)["']"""
)
_phone_serial = count(1)


class BuyerStuck(Exception):
    """A purchase did not go on as it should."""


class FormUnusable(Exception):
    """The form behind the button of a mail is not the one that is expected."""


@dataclass(frozen=True)
class MailedQuestion:
    """A mail that asks the seller to decide."""

    code: str
    text: str
    button: str
    """Where its button leads."""

    def link(self, part: str) -> str:
        """Give the first address in the mail that has this part.

        Raises:
            FormUnusable: there is none.

        """
        for found in _LINK_PATTERN.findall(html.unescape(self.text)):
            if part in found:
                return str(found)
        raise FormUnusable(f"the mail about {self.code} has no link with {part}")


@dataclass
class TrialBuyer:
    """Somebody who buys two random numbers over the stand-in for WhatsApp."""

    name: str
    phone: client.BuyerClient
    code: str = ""

    @classmethod
    def new(cls, sandbox: SandboxClient, *, name: str) -> Self:
        """Give somebody who has never written before."""
        return cls(name, sandbox.buyer(f"1555010{next(_phone_serial):04d}", name=name))

    def buys(self) -> str:
        """Hold two numbers, confirm, and give the code of the order."""
        self.phone.says("hi")
        self.phone.waits_for("Random numbers", timeout=WAIT_TIMEOUT_SECONDS)
        self.phone.says("2 random")
        self.phone.waits_for("Held for you", timeout=WAIT_TIMEOUT_SECONDS)
        self.phone.taps("Confirm")
        asked = self.phone.waits_for("please pay", timeout=WAIT_TIMEOUT_SECONDS).text
        found = re.search(r"R-[0-9A-Z]{5}", asked)
        if found is None:
            raise BuyerStuck(f"{self.name} is asked to pay, without a code: {asked!r}")
        self.code = found[0]
        return self.code

    def sends_proof(self) -> None:
        """Send a picture of a receipt and wait until it is taken."""
        lines = ("$10.00", self.code, self.name)
        self.phone.sends_picture(sample_receipts.draw_receipt_jpeg(lines, at=datetime.now(tz=UTC)))

    def hears(self, piece: str) -> None:
        """Wait for a message with these words."""
        self.phone.waits_for(piece, timeout=WAIT_TIMEOUT_SECONDS)


@dataclass(frozen=True)
class TrialSeller:
    """Who gets the mails of the workflows."""

    mailbox: Mailbox

    def is_asked(self, code: str) -> MailedQuestion:
        """Wait for the question about an order."""
        mail = self.reads(f"{code}: have ")
        found = re.search(r'<a href="([^"]+)"[^>]*>Decide</a>', mail.text)
        if found is None:
            raise FormUnusable(f"the mail about {code} has no button: {mail.text}")
        return MailedQuestion(code, mail.text, html.unescape(found[1]))

    def decides(
        self, question: MailedQuestion, decision: str, *, amount: str = "", note: str = ""
    ) -> None:
        """Open the form behind the button, fill it in and send it.

        Raises:
            FormUnusable: it is not the form that is expected.

        """
        with httpx.Client(trust_env=False, timeout=WAIT_TIMEOUT_SECONDS) as browser:
            page = _open_form(browser, question.button)
            names = _FORM_FIELD_PATTERN.findall(page.text)
            if decision not in html.unescape(page.text) or len(names) < len(("", "", "")):
                raise FormUnusable(f"the form of {question.code} has {names}:\n{page.text[:2000]}")
            typed = dict(zip(names, (decision, amount, note), strict=False))
            files = {name: (None, value) for name, value in typed.items()}
            browser.post(question.button, files=files).raise_for_status()

    def is_told(self, code: str) -> str:
        """Wait for the mail that says what came of a decision, and give it."""
        mail = self.mailbox.waits_for(
            lambda mail: mail.subject.startswith(f"{code}: ") and ": have " not in mail.subject,
            timeout=WAIT_TIMEOUT_SECONDS,
        )
        return mail.subject.removeprefix(f"{code}: ")

    def reads(self, subject: str) -> ReceivedMail:
        """Wait for a mail whose subject begins so."""
        return self.mailbox.waits_for(
            lambda mail: mail.subject.startswith(subject), timeout=WAIT_TIMEOUT_SECONDS
        )

    def unread(self, *, within: float) -> list[str]:
        """Give the subject of a mail that comes within so many seconds, if any does."""
        try:
            return [self.mailbox.waits_for(lambda _: True, timeout=within).subject]
        except MailNotReceived:
            return []


def _open_form(browser: httpx.Client, address: str) -> httpx.Response:
    """Open a form; a program reads its mail faster than n8n goes to sleep, which it answers 409."""
    ends = time.monotonic() + WAIT_TIMEOUT_SECONDS
    while (page := browser.get(address)).status_code == HTTPStatus.CONFLICT:
        if time.monotonic() > ends:
            break
        time.sleep(0.2)
    return page.raise_for_status()
