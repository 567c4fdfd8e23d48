"""Tells copies of one picture from different pictures of the same kind, by what they look like.

A fingerprint is the difference hash of the library `dhash`: for each cell of a grid whether its
neighbour to the right, and the one below, is brighter. Receipts of one bank share their layout, so
the grid must be fine enough to feel the glyphs; in a camera's picture so fine a grid feels the
noise, and therefore photos have a coarse hash as well.

Measured with receipts drawn for four banks, 10 of each, and 12 kinds of copies (bits that differ
of 4,608; of sizes 16 to 64, four filters and four steps of rounding, 48 cells with Pillow's
Lanczos filter left the widest gap):

    JPEG 40 to 88, PNG, WebP 60; letterboxed screenshots, with a clock   median 3 to 18, max 44
    resized to half, three quarters, 1.4 times                           median 6 to 26, max 43
    resized to 0.3, where the text can hardly be read: 75 % found        median 33, max 178
    cut by one percent on each side: not found                           median 433
    another receipt of the same bank (1,740 pairs)                       median 142, min 61
    same amount and minute, other reference and operation number         median 87, min 45
    only the amount, the operation's last digits or the reference        median 6, 24, 32

So `NEAR` finds every copy that can still be read, and one pair of 180 among receipts over the same
amount in the same minute. A receipt in which only the amount or a few digits were changed counts
as a copy, as it should. Noisy photos of receipts, by the coarse hash of 512 bits: copies differ in
27 at most, other photos in 48 at least.

To find the near ones among many, the bits are dealt into bands, each a sample of the whole picture:
a copy had 3 of 24 bands in common at least, 10 to 21 in the median; of another receipt of the same
bank one in eleven had any.
"""

import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.Image import Image

FINE: Final = 48
"""Cells on each side of the grid of the fine hash."""
COARSE: Final = 16
NEAR: Final = 46
"""Up to so many of 4,608 bits of the fine hash two copies differ."""
NEAR_PHOTO: Final = 28
"""Up to so many of 512 bits of the coarse hash two copies of a photo differ."""
BANDS: Final = 24
PHOTO_BANDS: Final = 16
PLAIN: Final = 150
"""With fewer bits set a picture is as good as empty, and looks like every other empty one."""
PREVAILS: Final = 0.55
"""The share of pixels of nearly one gray from which on a picture was drawn, not photographed."""
MAX_PIXELS: Final = 64_000_000
"""As the file says; more is a bomb, or nothing that a phone makes."""
MAX_DECODED: Final = 16_000_000
"""Pixels in memory, after the decoder made a large JPEG smaller by itself."""

_EDGE: Final = 1600
_BLACK: Final = 12
"""The brightest that a letterbox's black is."""
_STRIDE: Final = 1777  # a prime that divides no number of bits, so that it meets each bit once


def of_picture(content: bytes) -> str:
    """Give the fingerprint of a picture in hex: its fine hash and, for a photo, a coarse one.

    Returns:
        "" for a PDF, for what cannot be read, is too large to be looked at, or is plain.

    """
    try:
        gray = _read(content)
    except Exception:  # noqa: BLE001 - whatever a buyer sends, it is kept; only its copies go unseen
        return ""
    if gray is None:
        return ""
    fine = _hash(gray, FINE)
    if fine.bit_count() < PLAIN:
        return ""
    coarse = _written(_hash(gray, COARSE), COARSE) if _is_photo(gray) else ""
    return _written(fine, FINE) + coarse


def alike(one: str, other: str) -> bool:
    """Say whether two fingerprints are of copies of one picture."""
    if not one or not other:
        return False
    (fine, coarse), (other_fine, other_coarse) = _parts(one), _parts(other)
    if _distance(fine, other_fine) <= NEAR:
        return True
    return bool(coarse and other_coarse) and _distance(coarse, other_coarse) <= NEAR_PHOTO


def bands(fingerprint: str) -> set[int]:
    """Deal a fingerprint into bands: keys of 32 bits with sign, some of which copies share."""
    fine, coarse = _parts(fingerprint)
    return {*_bands(fine, FINE, count=BANDS), *_bands(coarse, COARSE, count=PHOTO_BANDS)}


def _parts(fingerprint: str) -> tuple[str, str]:
    """Part the fine hash from the coarse one, which only photos have."""
    length = _bits(FINE) // 4
    return fingerprint[:length], fingerprint[length:]


def _distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _bands(part: str, cells: int, *, count: int) -> Iterator[int]:
    if not part:
        return
    total = _bits(cells)
    bits = f"{int(part, 16):0{total}b}"
    dealt = "".join(bits[index * _STRIDE % total] for index in range(total)).encode()
    width = total // count
    for start in range(0, total, width):
        yield zlib.crc32(dealt[start : start + width], cells * total + start) - 2**31


def _bits(cells: int) -> int:
    return 2 * cells * cells


def _written(bits: int, cells: int) -> str:
    return f"{bits:0{_bits(cells) // 4}x}"


def _hash(gray: "Image", cells: int) -> int:
    from dhash import dhash_int  # noqa: PLC0415 - it loads Pillow
    from PIL import Image  # noqa: PLC0415

    grid = gray.resize((cells + 1, cells + 1), Image.Resampling.LANCZOS)
    return int(dhash_int(list(grid.tobytes()), cells))


def _is_photo(gray: "Image") -> bool:
    """Tell a camera's picture, in which no level of gray prevails, from one that a phone drew."""
    levels = gray.histogram()
    commonest = max(sum(levels[start : start + 9]) for start in range(248))
    return commonest < PREVAILS * gray.width * gray.height


def _read(content: bytes) -> "Image | None":
    """Read a picture in grays, upright and without bars; None if it is too large."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - the gateway needs it for pictures only

    with Image.open(BytesIO(content), formats=["JPEG", "PNG", "WEBP"]) as picture:
        if picture.width * picture.height > MAX_PIXELS:
            return None
        picture.draft("L", (_EDGE, _EDGE))
        if picture.width * picture.height > MAX_DECODED:
            return None
        return _without_bars(_on_white(ImageOps.exif_transpose(picture)))


def _on_white(picture: "Image") -> "Image":
    from PIL import Image  # noqa: PLC0415

    if not picture.has_transparency_data:
        return picture.convert("L")
    white = Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture.convert("RGBA"))
    return white.convert("L")


def _without_bars(gray: "Image") -> "Image":
    """Cut the black bars of a screenshot off, with the clock in them; else give it as it is."""
    from PIL import Image  # noqa: PLC0415

    corners = gray.crop((0, 0, 1, 1)), gray.crop((gray.width - 1, gray.height - 1, *gray.size))
    if all(corner.tobytes()[0] > _BLACK for corner in corners):
        return gray
    lit = gray.point([0] * (_BLACK + 1) + [255] * (255 - _BLACK))
    rows = lit.resize((1, lit.height), Image.Resampling.BOX).tobytes()
    top, bottom = _longest(rows)
    columns = lit.resize((lit.width, 1), Image.Resampling.BOX, (0, top, lit.width, bottom))
    left, right = _longest(columns.tobytes())
    return gray.crop((left, top, right, bottom))


def _longest(lines: bytes) -> tuple[int, int]:
    """Give start and end of the longest stretch between dark gaps; all, if that is not half."""
    gap = max(2, len(lines) // 100)
    stretches: list[tuple[int, int]] = []
    for index, light in enumerate(lines):
        if light <= 1:
            continue
        if stretches and index - stretches[-1][1] < gap:
            stretches[-1] = (stretches[-1][0], index + 1)
        else:
            stretches.append((index, index + 1))
    start, end = max(stretches, key=lambda found: found[1] - found[0], default=(0, 0))
    return (start, end) if end - start >= len(lines) / 2 else (0, len(lines))
