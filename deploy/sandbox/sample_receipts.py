"""Invented payment receipts for trying the bot, as a picture or a PDF, and a stub of a drum."""

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw, ImageFont

RECEIPT_SIZE: Final = (720, 900)
STUB_SIZE: Final = (720, 400)
INK_COLOUR: Final = (32, 44, 60)
PAPER_COLOUR: Final = (250, 250, 246)
BAND_COLOUR: Final = (22, 128, 96)


def draw_receipt_jpeg(lines: Sequence[str], *, at: datetime) -> bytes:
    """Draw a receipt as JPEG; its time makes each one different.

    Args:
        lines: lines of text, e.g. the amount and the order's code.
        at: time of the payment, printed to the microsecond.

    Returns:
        The bytes of the file.

    """
    return _encode_image(_draw_receipt(lines, at=at), kind="JPEG")


def draw_receipt_pdf(lines: Sequence[str], *, at: datetime) -> bytes:
    """Draw the same receipt as a PDF of one page."""
    return _encode_image(_draw_receipt(lines, at=at), kind="PDF")


def draw_stub_jpeg(number: str) -> bytes:
    """Draw the stub of a ticket number as JPEG."""
    image = Image.new("RGB", STUB_SIZE, PAPER_COLOUR)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, STUB_SIZE[0], 60), fill=BAND_COLOUR)
    draw.text((40, 12), "Stub", fill=PAPER_COLOUR, font=ImageFont.load_default(32))
    draw.text((240, 130), number, fill=INK_COLOUR, font=ImageFont.load_default(160))
    return _encode_image(image, kind="JPEG")


def _draw_receipt(lines: Sequence[str], *, at: datetime) -> Image.Image:
    image = Image.new("RGB", RECEIPT_SIZE, PAPER_COLOUR)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, RECEIPT_SIZE[0], 140), fill=BAND_COLOUR)
    draw.text((40, 45), "Bank of Example", fill=PAPER_COLOUR, font=ImageFont.load_default(44))
    words = ["Transfer sent", *lines, f"{at:%Y-%m-%d %H:%M:%S.%f}"]
    for place, line in enumerate(words):
        draw.text((40, 200 + 70 * place), line, fill=INK_COLOUR, font=ImageFont.load_default(32))
    return image


def _encode_image(image: Image.Image, *, kind: str) -> bytes:
    file = BytesIO()
    image.save(file, format=kind)
    return file.getvalue()
