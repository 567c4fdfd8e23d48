"""Sample receipts of transfers in the style of three banks' apps."""

import random
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw, ImageFont

SIZE: Final = (720, 1180)
INK: Final = (33, 37, 41)
PALE: Final = (110, 118, 129)
BANKS: Final = (
    ("Bank of Example", (22, 101, 122)),
    ("Harbour Savings", (91, 61, 138)),
    ("First Meadow", (196, 84, 26)),
)


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer: `amount` as shown, `payer` and `reference` as typed, `at` in local time."""

    amount: str
    payer: str
    reference: str
    at: datetime


def draw_receipt(transfer: Transfer) -> bytes:
    """Draw a receipt as JPEG; the same transfer gives the same picture."""
    dice = random.Random(f"{transfer.reference}{transfer.payer}")
    bank, colour = dice.choice(BANKS)
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, SIZE[0], 120), fill=colour)
    draw.text((40, 38), bank, fill="white", font=ImageFont.load_default(42))
    draw.ellipse((310, 160, 410, 260), fill=(25, 135, 84))
    draw.line((337, 212, 355, 232, 385, 190), fill="white", width=10, joint="curve")
    _draw_centred(draw, "Transfer sent", at=280, size=34, fill=PALE)
    _draw_centred(draw, transfer.amount, at=325, size=84, fill=INK)
    operation = "".join(str(dice.randrange(10)) for _ in range(9))
    lines = {
        "From": transfer.payer,
        "To": "Club, 000-123",
        "Reference": transfer.reference,
        "When": f"{transfer.at:%d %b %Y, %H:%M}",
        "Operation": operation,
    }
    for place, (name, value) in enumerate(lines.items()):
        top = 460 + 66 * place
        draw.line((40, top - 14, 680, top - 14), fill=(222, 226, 230), width=2)
        draw.text((40, top), name, fill=PALE, font=ImageFont.load_default(30))
        draw.text((680, top), value, fill=INK, font=ImageFont.load_default(30), anchor="ra")
    _draw_stamp(draw, dice)
    return _encode_jpeg(image)


def recompress_picture(content: bytes) -> bytes:
    """Return a picture as a messenger forwards it: smaller and compressed again."""
    with Image.open(BytesIO(content)) as image:
        return _encode_jpeg(image.resize((540, 885)))


def _draw_centred(
    draw: ImageDraw.ImageDraw, words: str, *, at: int, size: int, fill: tuple[int, int, int]
) -> None:
    font = ImageFont.load_default(size)
    draw.text((SIZE[0] / 2, at), words, fill=fill, font=font, anchor="ma")


def _draw_stamp(draw: ImageDraw.ImageDraw, dice: random.Random) -> None:
    """Draw the square code of a receipt."""
    for row in range(25):
        for column in range(25):
            if dice.random() < 0.5:
                left, top = 235 + column * 10, 850 + row * 10
                draw.rectangle((left, top, left + 9, top + 9), fill=INK)


def _encode_jpeg(image: Image.Image) -> bytes:
    written = BytesIO()
    image.save(written, "JPEG", quality=85)
    return written.getvalue()
