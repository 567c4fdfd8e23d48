"""Sample receipts of a bank's app, and the altered copies that buyers send."""

from collections.abc import Callable
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw


def draw_receipt(
    *,
    amount: str = "$15.00",
    reference: str = "R-7K3F9",
    at: str = "22 Nov 2026 10:31",
    operation: str = "882131234567",
) -> Image.Image:
    """Draw a receipt; receipts of the same bank differ in a few words."""
    picture = Image.new("RGB", (720, 1280), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 720, 160), fill="navy")
    draw.text((40, 40), "BANK OF EXAMPLE", fill="white", font_size=52)
    lines = (
        "Transfer sent",
        amount,
        "To: Club, 000-123",
        f"Reference: {reference}",
        at,
        f"Operation {operation}",
    )
    for index, line in enumerate(lines):
        draw.text((40, 240 + index * 110), line, fill="black", font_size=46)
    return picture


def photograph_receipt(receipt: Image.Image) -> Image.Image:
    """Simulate a photo of a receipt on a table: tilted, on a grainy background."""
    table = Image.linear_gradient("L").resize((1200, 1600)).convert("RGB")
    grain = Image.effect_noise((1200, 1600), 40).convert("RGB")
    photo = Image.blend(table, grain, 0.3)
    tilted = receipt.resize((600, 1066)).rotate(3, expand=True, fillcolor=(120, 110, 100))
    photo.paste(tilted, (250, 200))
    return Image.blend(photo, Image.effect_noise((1200, 1600), 60).convert("RGB"), 0.1)


def encode_jpeg(picture: Image.Image, quality: int = 88) -> bytes:
    """Encode a picture as JPEG."""
    return _encode(picture, "JPEG", quality=quality)


def _encode(picture: Image.Image, kind: str, **options: int) -> bytes:
    written = BytesIO()
    picture.save(written, kind, **options)
    return written.getvalue()


def _resize(picture: Image.Image, *, by: float) -> bytes:
    size = (round(picture.width * by), round(picture.height * by))
    return encode_jpeg(picture.resize(size, Image.Resampling.BICUBIC), 75)


def _simulate_screenshot(picture: Image.Image) -> bytes:
    """Simulate a screenshot of a phone, with black bars and a clock."""
    screen = Image.new("RGB", (1080, 2400), "black")
    screen.paste(picture.resize((1080, round(picture.height * 1080 / picture.width))), (0, 240))
    ImageDraw.Draw(screen).text((60, 20), "10:45", fill="white", font_size=40)
    return encode_jpeg(screen, 80)


COPY_METHODS: Final[dict[str, Callable[[Image.Image], bytes]]] = {
    "compressed": lambda picture: encode_jpeg(picture, 40),
    "png": lambda picture: _encode(picture, "PNG"),
    "webp": lambda picture: _encode(picture, "WEBP", quality=60),
    "halved": lambda picture: _resize(picture, by=0.5),
    "enlarged": lambda picture: _resize(picture, by=1.4),
    "screenshot": _simulate_screenshot,
}
"""Changes that a buyer may make to a picture before sending it again."""
