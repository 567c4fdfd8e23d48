"""Fingerprints of pictures, which tell copies of one receipt from other receipts of the same bank.

A fingerprint is the difference hash of the library `dhash`: for each cell of a grid, whether its
neighbour to the right, and the one below, is brighter. Receipts of one bank share their layout, so
the grid must be fine enough to register single characters. In a photo so fine a grid registers the
noise as well, so photos have a coarse hash in addition.

Measured with receipts drawn for four banks, 10 of each, and 12 kinds of copies. The figures are
bits that differ, of 4,608. Of grid sizes from 16 to 64, four filters and four steps of rounding,
48 cells with Pillow's Lanczos filter left the widest gap:

    JPEG 40 to 88, PNG, WebP 60; letterboxed screenshots, with a clock   median 3 to 18, max 44
    resized to half, three quarters, 1.4 times                           median 6 to 26, max 43
    resized to 0.3, text hardly legible: 75 % found                      median 33, max 178
    cropped by one percent on each side: not found                       median 433
    another receipt of the same bank (1,740 pairs)                       median 142, min 61
    same amount and minute, other reference and operation number         median 87, min 45
    only the amount, the operation's last digits or the reference        median 6, 24, 32

So `MAX_COPY_DISTANCE` finds every legible copy. It also matches one pair of 180 among receipts
over the same amount in the same minute. A receipt in which only the amount or a few digits were
changed counts as a copy, as it should. By the coarse hash of 512 bits, noisy photos of one receipt
differ in 27 bits at most, other photos in 48 at least.

To search among many pictures, the bits are divided into bands, each a sample of the whole picture.
A copy shares at least 3 of 24 bands, and 10 to 21 in the median; of other receipts of the same
bank one in eleven shares any.
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
"""Cells on each side of the grid of the coarse hash, which only photos have."""
MAX_COPY_DISTANCE: Final = 46
"""Bits of the fine hash, of 4,608, in which two copies differ at most."""
MAX_PHOTO_COPY_DISTANCE: Final = 28
"""Bits of the coarse hash, of 512, in which two copies of a photo differ at most."""
FINE_BAND_COUNT: Final = 24
"""Bands of the fine hash."""
PHOTO_BAND_COUNT: Final = 16
"""Bands of the coarse hash."""
MIN_BITS_SET: Final = 150
"""Bits set, below which a picture is nearly plain and would match every other plain one."""
PREVAILING_GRAY_SHARE: Final = 0.55
"""Share of pixels of nearly one gray from which a picture counts as drawn, not photographed."""
MAX_PIXELS: Final = 64_000_000
"""Pixels by the file's header; more is a decompression bomb, or comes from no phone."""
MAX_DECODED_PIXELS: Final = 16_000_000
"""Pixels in memory, after the decoder has scaled a large JPEG down."""

_MAX_DRAFT_EDGE: Final = 1600
"""Pixels on each side to which the decoder scales a large JPEG down, roughly."""
_MAX_BLACK_LEVEL: Final = 12
"""Brightest gray level, of 255, that counts as the black of a letterbox."""
_BIT_STRIDE: Final = 1777
"""Distance between the bits of a band: a prime that divides no hash length, so each bit is met."""


def compute_fingerprint(content: bytes) -> str:
    """Return the fingerprint of a picture.

    Args:
        content: the bytes of a file, of whatever kind.

    Returns:
        The fine hash and, for a photo, the coarse hash after it, in hex; "" for a PDF and for a
        picture that cannot be read, is too large or is nearly plain.

    """
    try:
        gray = _load_gray_picture(content)
    except Exception:  # noqa: BLE001 - any file is kept; only its copies are not found
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
    """Return whether two fingerprints belong to copies of one picture; never if one is empty."""
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
    """Return the bands of a fingerprint, some of which copies share.

    Returns:
        Signed integers of 32 bits; none for an empty fingerprint.

    """
    fine, coarse = _split_hashes(fingerprint)
    return {
        *_compute_hash_bands(fine, FINE_GRID_CELLS, count=FINE_BAND_COUNT),
        *_compute_hash_bands(coarse, COARSE_GRID_CELLS, count=PHOTO_BAND_COUNT),
    }


def _split_hashes(fingerprint: str) -> tuple[str, str]:
    """Return the fine and the coarse hash of a fingerprint; without a photo the latter is ""."""
    length = _count_hash_bits(FINE_GRID_CELLS) // 4
    return fingerprint[:length], fingerprint[length:]


def _count_different_bits(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _compute_hash_bands(part: str, cells: int, *, count: int) -> Iterator[int]:
    if not part:
        return
    total = _count_hash_bits(cells)
    bits = f"{int(part, 16):0{total}b}"
    shuffled = "".join(bits[index * _BIT_STRIDE % total] for index in range(total)).encode()
    width = total // count
    for start in range(0, total, width):
        yield zlib.crc32(shuffled[start : start + width], cells * total + start) - 2**31


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
    """Return whether a picture is a photo: in drawn pictures one level of gray prevails."""
    levels = gray.histogram()
    commonest = max(sum(levels[start : start + 9]) for start in range(248))
    return commonest < PREVAILING_GRAY_SHARE * gray.width * gray.height


def _load_gray_picture(content: bytes) -> "Image | None":
    """Return a picture in grayscale, upright and without black bars; None if it is too large."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - it is loaded only when a picture comes

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
    """Return a screenshot without its black bars and the clock in them; others unchanged."""
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
    """Return start and end of the longest stretch between dark gaps; all if it is under half."""
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
