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

from deploy.sandbox import client
from deploy.sandbox.client import Sandbox
from deploy.sandbox.phone import sample_receipts
from tests.n8n_live.mailbox import Mail, Mailbox, NoMail

PATIENCE: Final = 60.0
"""Seconds anything is waited for: n8n on a busy machine takes its time."""

_LINK: Final = re.compile(r"https?://[^\s\"'<>]+")
_FIELD: Final = re.compile(r"""<(?:input|select|textarea)\b[^>]*\sname=["'](field-\d+)["']""")
_phones = count(1)


class BuyerStuck(Exception):
    """A purchase did not go on as it should."""


class FormUnusable(Exception):
    """The form behind the button of a mail is not the one that is expected."""


@dataclass(frozen=True)
class Question:
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
        for found in _LINK.findall(html.unescape(self.text)):
            if part in found:
                return str(found)
        raise FormUnusable(f"the mail about {self.code} has no link with {part}")


@dataclass
class Buyer:
    """Somebody who buys two random numbers over the stand-in for WhatsApp."""

    name: str
    phone: client.Buyer
    code: str = ""

    @classmethod
    def new(cls, sandbox: Sandbox, *, name: str) -> Self:
        """Give somebody who has never written before."""
        return cls(name, sandbox.buyer(f"1555010{next(_phones):04d}", name=name))

    def buys(self) -> str:
        """Hold two numbers, confirm, and give the code of the order."""
        self.phone.says("hi")
        self.phone.waits_for("Random numbers", timeout=PATIENCE)
        self.phone.says("2 random")
        self.phone.waits_for("Held for you", timeout=PATIENCE)
        self.phone.taps("Confirm")
        asked = self.phone.waits_for("please pay", timeout=PATIENCE).text
        found = re.search(r"R-[0-9A-Z]{5}", asked)
        if found is None:
            raise BuyerStuck(f"{self.name} is asked to pay, without a code: {asked!r}")
        self.code = found[0]
        return self.code

    def sends_proof(self) -> None:
        """Send a picture of a receipt and wait until it is taken."""
        lines = ("$10.00", self.code, self.name)
        self.phone.sends_picture(sample_receipts.picture(lines, at=datetime.now(tz=UTC)))

    def hears(self, piece: str) -> None:
        """Wait for a message with these words."""
        self.phone.waits_for(piece, timeout=PATIENCE)


@dataclass(frozen=True)
class Seller:
    """Who gets the mails of the workflows."""

    mailbox: Mailbox

    def is_asked(self, code: str) -> Question:
        """Wait for the question about an order."""
        mail = self.reads(f"{code}: have ")
        found = re.search(r'<a href="([^"]+)"[^>]*>Decide</a>', mail.text)
        if found is None:
            raise FormUnusable(f"the mail about {code} has no button: {mail.text}")
        return Question(code, mail.text, html.unescape(found[1]))

    def decides(
        self, question: Question, decision: str, *, amount: str = "", note: str = ""
    ) -> None:
        """Open the form behind the button, fill it in and send it.

        Raises:
            FormUnusable: it is not the form that is expected.

        """
        with httpx.Client(trust_env=False, timeout=PATIENCE) as browser:
            page = _opened(browser, question.button)
            names = _FIELD.findall(page.text)
            if decision not in html.unescape(page.text) or len(names) < len(("", "", "")):
                raise FormUnusable(f"the form of {question.code} has {names}:\n{page.text[:2000]}")
            typed = dict(zip(names, (decision, amount, note), strict=False))
            files = {name: (None, value) for name, value in typed.items()}
            browser.post(question.button, files=files).raise_for_status()

    def is_told(self, code: str) -> str:
        """Wait for the mail that says what came of a decision, and give it."""
        mail = self.mailbox.waits_for(
            lambda mail: mail.subject.startswith(f"{code}: ") and ": have " not in mail.subject,
            timeout=PATIENCE,
        )
        return mail.subject.removeprefix(f"{code}: ")

    def reads(self, subject: str) -> Mail:
        """Wait for a mail whose subject begins so."""
        return self.mailbox.waits_for(
            lambda mail: mail.subject.startswith(subject), timeout=PATIENCE
        )

    def unread(self, *, within: float) -> list[str]:
        """Give the subject of a mail that comes within so many seconds, if any does."""
        try:
            return [self.mailbox.waits_for(lambda _: True, timeout=within).subject]
        except NoMail:
            return []


def _opened(browser: httpx.Client, address: str) -> httpx.Response:
    """Open a form; a program reads its mail faster than n8n goes to sleep, which it answers 409."""
    ends = time.monotonic() + PATIENCE
    while (page := browser.get(address)).status_code == HTTPStatus.CONFLICT:
        if time.monotonic() > ends:
            break
        time.sleep(0.2)
    return page.raise_for_status()
