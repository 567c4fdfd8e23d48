"""The participants of a trial: buyers with a phone, and a seller who answers mails."""

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
"""Time limit of each wait in seconds; n8n is slow on a busy machine."""

_LINK_PATTERN: Final = re.compile(r"https?://[^\s\"'<>]+")
_FORM_FIELD_PATTERN: Final = re.compile(
    r"""<(?:input|select|textarea)\b[^>]*\sname=["'](field-\d+)["']"""
)
_phone_serial = count(1)


class BuyerStuck(Exception):
    """A purchase did not continue as expected."""


class FormUnusable(Exception):
    """The form behind the button of a mail is not the expected one."""


@dataclass(frozen=True)
class MailedQuestion:
    """A mail that asks the seller to decide."""

    code: str
    text: str
    button: str
    """URL of the button."""

    def find_link(self, part: str) -> str:
        """Return the first URL in the mail that contains `part`.

        Raises:
            FormUnusable: there is no such URL.

        """
        for found in _LINK_PATTERN.findall(html.unescape(self.text)):
            if part in found:
                return str(found)
        raise FormUnusable(f"the mail about {self.code} has no link with {part}")


@dataclass
class TrialBuyer:
    """A buyer who orders two random numbers through the sandbox of Meta's API."""

    name: str
    phone: client.BuyerClient
    code: str = ""

    @classmethod
    def new(cls, sandbox: SandboxClient, *, name: str) -> Self:
        """Return a buyer who has not written before."""
        return cls(name, sandbox.buyer(f"1555010{next(_phone_serial):04d}", name=name))

    def buy(self) -> str:
        """Hold two numbers, confirm, and return the code of the order."""
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

    def send_proof(self) -> None:
        """Send a picture of a receipt."""
        lines = ("$10.00", self.code, self.name)
        self.phone.sends_picture(sample_receipts.draw_receipt_jpeg(lines, at=datetime.now(tz=UTC)))

    def wait_for_message(self, piece: str) -> None:
        """Wait for a message that contains `piece`."""
        self.phone.waits_for(piece, timeout=WAIT_TIMEOUT_SECONDS)


@dataclass(frozen=True)
class TrialSeller:
    """The recipient of the workflows' mails."""

    mailbox: Mailbox

    def wait_for_question(self, code: str) -> MailedQuestion:
        """Wait for the mail that asks about an order."""
        mail = self.wait_for_mail(f"{code}: have ")
        found = re.search(r'<a href="([^"]+)"[^>]*>Decide</a>', mail.text)
        if found is None:
            raise FormUnusable(f"the mail about {code} has no button: {mail.text}")
        return MailedQuestion(code, mail.text, html.unescape(found[1]))

    def submit_decision(
        self, question: MailedQuestion, decision: str, *, amount: str = "", note: str = ""
    ) -> None:
        """Fill in and submit the form behind the button.

        Raises:
            FormUnusable: the form is not the expected one.

        """
        with httpx.Client(trust_env=False, timeout=WAIT_TIMEOUT_SECONDS) as browser:
            page = _open_form(browser, question.button)
            names = _FORM_FIELD_PATTERN.findall(page.text)
            if decision not in html.unescape(page.text) or len(names) < len(("", "", "")):
                raise FormUnusable(f"the form of {question.code} has {names}:\n{page.text[:2000]}")
            typed = dict(zip(names, (decision, amount, note), strict=False))
            files = {name: (None, value) for name, value in typed.items()}
            browser.post(question.button, files=files).raise_for_status()

    def wait_for_result(self, code: str) -> str:
        """Wait for the mail with the result of a decision, and return the result."""
        mail = self.mailbox.wait_for_mail(
            lambda mail: mail.subject.startswith(f"{code}: ") and ": have " not in mail.subject,
            timeout=WAIT_TIMEOUT_SECONDS,
        )
        return mail.subject.removeprefix(f"{code}: ")

    def wait_for_mail(self, subject: str) -> ReceivedMail:
        """Wait for a mail whose subject starts with `subject`."""
        return self.mailbox.wait_for_mail(
            lambda mail: mail.subject.startswith(subject), timeout=WAIT_TIMEOUT_SECONDS
        )

    def list_unread_subjects(self, *, within: float) -> list[str]:
        """Return the subject of a mail that arrives within so many seconds, if any."""
        try:
            return [self.mailbox.wait_for_mail(lambda _: True, timeout=within).subject]
        except MailNotReceived:
            return []


def _open_form(browser: httpx.Client, address: str) -> httpx.Response:
    """Open a form, retrying on 409: n8n answers so until the workflow has started to wait."""
    ends = time.monotonic() + WAIT_TIMEOUT_SECONDS
    while (page := browser.get(address)).status_code == HTTPStatus.CONFLICT:
        if time.monotonic() > ends:
            break
        time.sleep(0.2)
    return page.raise_for_status()
