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

FINE_GRID_CELLS: Final = 48
"""Cells on each side of the grid of the fine hash."""
COARSE_GRID_CELLS: Final = 16
MAX_COPY_DISTANCE: Final = 46
"""Up to so many of 4,608 bits of the fine hash two copies differ."""
MAX_PHOTO_COPY_DISTANCE: Final = 28
"""Up to so many of 512 bits of the coarse hash two copies of a photo differ."""
FINE_BAND_COUNT: Final = 24
PHOTO_BAND_COUNT: Final = 16
MIN_BITS_SET: Final = 150
"""With fewer bits set a picture is as good as empty, and looks like every other empty one."""
PREVAILING_GRAY_SHARE: Final = 0.55
"""The share of pixels of nearly one gray from which on a picture was drawn, not photographed."""
MAX_PIXELS: Final = 64_000_000
"""As the file says; more is a bomb, or nothing that a phone makes."""
MAX_DECODED_PIXELS: Final = 16_000_000
"""Pixels in memory, after the decoder made a large JPEG smaller by itself."""

_MAX_DRAFT_EDGE: Final = 1600
_MAX_BLACK_LEVEL: Final = 12
"""The brightest that a letterbox's black is."""
_BIT_STRIDE: Final = 1777  # a prime that divides no number of bits, so that it meets each bit once


def compute_fingerprint(content: bytes) -> str:
    """Give the fingerprint of a picture in hex: its fine hash and, for a photo, a coarse one.

    Returns:
        "" for a PDF, for what cannot be read, is too large to be looked at, or is plain.

    """
    try:
        gray = _load_gray_picture(content)
    except Exception:  # noqa: BLE001 - whatever a buyer sends, it is kept; only its copies go unseen
        return ""
    if gray is None:
        return ""
    fine = _compute_hash(gray, FINE_GRID_CELLS)
    if fine.bit_count() < MIN_BITS_SET:
        return ""
    coarse = (
        _format_hash(_compute_hash(gray, COARSE_GRID_CELLS), COARSE_GRID_CELLS)
        if _is_photo(gray)
        else ""
    )
    return _format_hash(fine, FINE_GRID_CELLS) + coarse


def is_same_picture(one: str, other: str) -> bool:
    """Say whether two fingerprints are of copies of one picture."""
    if not one or not other:
        return False
    (fine, coarse), (other_fine, other_coarse) = _split_hashes(one), _split_hashes(other)
    if _count_different_bits(fine, other_fine) <= MAX_COPY_DISTANCE:
        return True
    return (
        bool(coarse and other_coarse)
        and _count_different_bits(coarse, other_coarse) <= MAX_PHOTO_COPY_DISTANCE
    )


def compute_bands(fingerprint: str) -> set[int]:
    """Deal a fingerprint into bands: keys of 32 bits with sign, some of which copies share."""
    fine, coarse = _split_hashes(fingerprint)
    return {
        *_compute_hash_bands(fine, FINE_GRID_CELLS, count=FINE_BAND_COUNT),
        *_compute_hash_bands(coarse, COARSE_GRID_CELLS, count=PHOTO_BAND_COUNT),
    }


def _split_hashes(fingerprint: str) -> tuple[str, str]:
    """Part the fine hash from the coarse one, which only photos have."""
    length = _count_hash_bits(FINE_GRID_CELLS) // 4
    return fingerprint[:length], fingerprint[length:]


def _count_different_bits(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _compute_hash_bands(part: str, cells: int, *, count: int) -> Iterator[int]:
    if not part:
        return
    total = _count_hash_bits(cells)
    bits = f"{int(part, 16):0{total}b}"
    dealt = "".join(bits[index * _BIT_STRIDE % total] for index in range(total)).encode()
    width = total // count
    for start in range(0, total, width):
        yield zlib.crc32(dealt[start : start + width], cells * total + start) - 2**31


def _count_hash_bits(cells: int) -> int:
    return 2 * cells * cells


def _format_hash(bits: int, cells: int) -> str:
    return f"{bits:0{_count_hash_bits(cells) // 4}x}"


def _compute_hash(gray: "Image", cells: int) -> int:
    from dhash import dhash_int  # noqa: PLC0415 - it loads Pillow
    from PIL import Image  # noqa: PLC0415

    grid = gray.resize((cells + 1, cells + 1), Image.Resampling.LANCZOS)
    return int(dhash_int(list(grid.tobytes()), cells))


def _is_photo(gray: "Image") -> bool:
    """Tell a camera's picture, in which no level of gray prevails, from one that a phone drew."""
    levels = gray.histogram()
    commonest = max(sum(levels[start : start + 9]) for start in range(248))
    return commonest < PREVAILING_GRAY_SHARE * gray.width * gray.height


def _load_gray_picture(content: bytes) -> "Image | None":
    """Read a picture in grays, upright and without bars; None if it is too large."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - the gateway needs it for pictures only

    with Image.open(BytesIO(content), formats=["JPEG", "PNG", "WEBP"]) as picture:
        if picture.width * picture.height > MAX_PIXELS:
            return None
        picture.draft("L", (_MAX_DRAFT_EDGE, _MAX_DRAFT_EDGE))
        if picture.width * picture.height > MAX_DECODED_PIXELS:
            return None
        return _crop_black_bars(_flatten_on_white(ImageOps.exif_transpose(picture)))


def _flatten_on_white(picture: "Image") -> "Image":
    from PIL import Image  # noqa: PLC0415

    if not picture.has_transparency_data:
        return picture.convert("L")
    white = Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture.convert("RGBA"))
    return white.convert("L")


def _crop_black_bars(gray: "Image") -> "Image":
    """Cut the black bars of a screenshot off, with the clock in them; else give it as it is."""
    from PIL import Image  # noqa: PLC0415

    corners = gray.crop((0, 0, 1, 1)), gray.crop((gray.width - 1, gray.height - 1, *gray.size))
    if all(corner.tobytes()[0] > _MAX_BLACK_LEVEL for corner in corners):
        return gray
    lit = gray.point([0] * (_MAX_BLACK_LEVEL + 1) + [255] * (255 - _MAX_BLACK_LEVEL))
    rows = lit.resize((1, lit.height), Image.Resampling.BOX).tobytes()
    top, bottom = _find_longest_stretch(rows)
    columns = lit.resize((lit.width, 1), Image.Resampling.BOX, (0, top, lit.width, bottom))
    left, right = _find_longest_stretch(columns.tobytes())
    return gray.crop((left, top, right, bottom))


def _find_longest_stretch(lines: bytes) -> tuple[int, int]:
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
