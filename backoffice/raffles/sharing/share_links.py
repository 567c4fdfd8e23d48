"""The link of a raffle for one business number, and the QR code of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final
from urllib.parse import urlencode

import segno
from segno import QRCode

from backoffice.ui import phone_numbers
from shared.conversation import raffle_links
from shared.conversation.raffle_links import RaffleLink
from shared.raffles.models import Raffle
from shared.whatsapp.models import BusinessNumber
from shared.whatsapp.services.business_numbers import is_ours

_PHONE_DIGITS: Final = range(7, 16)
"""Digits of a phone number; ITU-T E.164 allows at most 15."""
_QUIET_MODULES: Final = 4
"""The empty frame of a QR code, in modules; ISO/IEC 18004 asks for four."""
_PNG_PIXELS_PER_MODULE: Final = 20
"""A code of 60 modules has 1,200 pixels: sharp at 10 cm on paper."""


@dataclass(frozen=True, slots=True)
class ShareLink:
    """The link of a raffle.

    Attributes:
        number: the business number whose chat it opens.
        source: the word that tells links apart; may be empty.
        url: the address.
        text: what the buyer sends.
        mark: the part of the text by which the raffle is found.

    """

    raffle: Raffle
    number: BusinessNumber
    source: str
    url: str
    text: str
    mark: str

    @property
    def phone(self) -> str:
        """The business number as people dial it."""
        shown = self.number.display_phone_number.strip()
        return phone_numbers.group_digits(shown if shown.startswith("+") else f"+{shown}")

    @property
    def shown_text(self) -> str:
        """The text as the buyer sees it, without the asterisks that make it bold."""
        return self.text.replace("*", "")

    @property
    def query(self) -> str:
        """The query of addresses about this link; empty or with its question mark."""
        values = {"source": self.source} if self.source else {}
        if not self.raffle.phone_number_id:
            values["number"] = self.number.phone_number_id
        return f"?{urlencode(values)}" if values else ""

    @property
    def file_name(self) -> str:
        """The name of its files, without a suffix."""
        return "-".join(filter(None, ("raffle", str(self.raffle.pk), self.source)))


def list_business_numbers(raffle: Raffle) -> list[BusinessNumber]:
    """Return our business numbers that sell a raffle and whose phone number is known.

    Meta names it in each webhook, so it is known from the first message on.
    """
    numbers = BusinessNumber.objects.order_by("pk")
    if raffle.phone_number_id:
        numbers = numbers.filter(phone_number_id=raffle.phone_number_id)
    return [
        number
        for number in numbers
        if is_ours(number.phone_number_id)
        and sum(map(str.isdecimal, number.display_phone_number)) in _PHONE_DIGITS
    ]


def build_share_link(
    raffle: Raffle, numbers: Sequence[BusinessNumber], *, number_id: str, source: str
) -> ShareLink:
    """Return the link for one of the numbers: the named one, or else the first.

    Args:
        raffle: the raffle.
        numbers: what `list_business_numbers` returned; not empty.
        number_id: Meta's id of the number; may be empty or unknown.
        source: a word of the seller.

    """
    named = (number for number in numbers if number.phone_number_id == number_id)
    number = next(named, numbers[0])
    link = RaffleLink(raffle.pk, raffle_links.normalise_source(source))
    return ShareLink(
        raffle=raffle,
        number=number,
        source=link.source,
        url=raffle_links.build_raffle_link(
            number.display_phone_number, title=raffle.title, link=link
        ),
        text=raffle_links.build_link_text(raffle.title, link=link),
        mark=raffle_links.build_mark(link),
    )


def build_qr_code(link: ShareLink) -> QRCode:
    """Return the QR code of a link.

    Its error correction is level M, 15 %, or a higher one if the code does not grow by it.
    """
    return segno.make_qr(link.url, error="m")


def render_qr_svg(link: ShareLink) -> bytes:
    """Return the QR code as an SVG without a size of its own."""
    target = BytesIO()
    build_qr_code(link).save(
        target, kind="svg", border=_QUIET_MODULES, light="#fff", omitsize=True, xmldecl=False
    )
    return target.getvalue()


def render_qr_png(link: ShareLink) -> bytes:
    """Return the QR code as a PNG that is large enough to be printed."""
    target = BytesIO()
    build_qr_code(link).save(
        target, kind="png", border=_QUIET_MODULES, scale=_PNG_PIXELS_PER_MODULE
    )
    return target.getvalue()
