"""Decoders of proofs' files: libvips for most pictures, libheif for HEIC, PDFium for PDFs.

It is used by `process` only, whose limits end what the checks here do not foresee.
"""

import math
import re
from io import BytesIO
from typing import Final

import pyvips  # type: ignore[import-untyped]
from PIL import Image

from shared.core.enums import RenditionStatus
from shared.raffles import fingerprints
from shared.raffles.rendering.outcome import Rendering

MAX_PICTURE_PIXELS: Final = 4_000_000
"""Pixels of a rendition: an A4 page at 200 dots per inch, 16 MB of memory in a browser."""
MAX_PICTURE_EDGE: Final = 8_000
"""Longest edge of a rendition in pixels; screenshots of a scrolled page are very long."""
THUMBNAIL_SIZE: Final = (240, 320)
"""Maximum width and height in pixels: twice the size in a list, for high-density screens."""
MAX_STREAMED_PIXELS: Final = 500_000_000
"""Pixels by the header of a picture that libvips decodes row by row."""
MAX_DECODED_PIXELS: Final = 64_000_000
"""Pixels by the header of a picture that must be decoded as a whole."""
MAX_PDF_SCALE: Final = 4.0
"""Pixels per point of a small page: 288 dots per inch."""

HEIF_TYPES: Final = frozenset({"image/heic", "image/heif"})
PDF_TYPE: Final = "application/pdf"
LOADERS: Final = tuple(
    f"VipsForeignLoad{name}" for name in ("Jpeg", "Png", "Webp", "Nsgif", "Tiff", "Heif")
)
"""The only loaders of libvips that may run; others read formats that are no proof."""

_EMBEDDED_PROFILE: Final = "icc-profile-data"
_LOADER_OPTIONS: Final = "[fail_on=truncated]"
_LYING_ORIENTATION: Final = 5
"""The first of the EXIF orientations that swap width and height."""
_MEMORY_ERROR: Final = re.compile(r"memory|alloc|limit", re.IGNORECASE)


class TooComplex(Exception):
    """The file takes more memory than a proof may."""


class Protected(Exception):
    """The PDF needs a password."""


class Damaged(Exception):
    """The file cannot be decoded."""


_STATUSES: Final = {
    TooComplex: RenditionStatus.TOO_COMPLEX,
    Protected: RenditionStatus.PROTECTED,
    Damaged: RenditionStatus.DAMAGED,
}


def render(content: bytes, *, content_type: str) -> Rendering:
    """Return bounded pictures of a file; see `renderer.render_file`."""
    try:
        picture, page_count = _render_picture(content, content_type=content_type)
        thumbnail = _make_thumbnail(picture)
    except (TooComplex, Protected, Damaged) as error:
        return Rendering(_STATUSES[type(error)])
    except MemoryError:
        return Rendering(RenditionStatus.TOO_COMPLEX)
    is_pdf = content_type == PDF_TYPE
    return Rendering(
        RenditionStatus.MADE,
        picture=picture,
        thumbnail=thumbnail,
        fingerprint="" if is_pdf else _compute_fingerprint(content, picture),
        page_count=page_count,
    )


def _render_picture(content: bytes, *, content_type: str) -> tuple[bytes, int]:
    """Return a JPEG of a file, and the pages of a PDF."""
    if content_type == PDF_TYPE:
        page, page_count = _draw_first_page(content)
        return _encode(page), page_count
    if content_type in HEIF_TYPES:
        return _encode(_decode_heif(content)), 0
    return _scale_streamed(content), 0


def _scale_streamed(content: bytes) -> bytes:
    pyvips.operation_block_set("VipsForeignLoad", True)
    for loader in LOADERS:
        pyvips.operation_block_set(loader, False)
    pixels = 0
    try:
        header = pyvips.Image.new_from_buffer(content, "", access="sequential")
        pixels = header.width * header.height
        if pixels > MAX_STREAMED_PIXELS:
            raise TooComplex
        width, height = _compute_bounded_size(header)
        scaled = pyvips.Image.thumbnail_buffer(
            content,
            width,
            height=height,
            size="down",
            option_string=_LOADER_OPTIONS,
            **_choose_profile(header),
        )
        if scaled.hasalpha():
            scaled = scaled.flatten(background=[255, 255, 255])
        picture: bytes = scaled.jpegsave_buffer(Q=80, keep="none")
    except pyvips.Error as error:
        if pixels > MAX_DECODED_PIXELS or _MEMORY_ERROR.search(str(error)):
            raise TooComplex from error
        raise Damaged from error
    return picture


def _choose_profile(header: pyvips.Image) -> dict[str, str]:
    """Return the option that converts a picture's colours to sRGB, unless they are sRGB.

    A conversion takes 0.1 s per megapixel even if it changes nothing.
    """
    is_srgb = header.interpretation == "srgb" and not header.get_typeof(_EMBEDDED_PROFILE)
    return {} if is_srgb else {"output_profile": "srgb"}


def _compute_bounded_size(header: pyvips.Image) -> tuple[int, int]:
    """Return the largest width and height of a picture's rendition, once it is upright."""
    width, height = header.width, header.height
    if header.get_typeof("orientation") and int(header.get("orientation")) >= _LYING_ORIENTATION:
        width, height = height, width
    scale = _compute_scale(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _compute_scale(width: float, height: float, *, limit: float = 1.0) -> float:
    """Return the factor by which a picture is scaled to its bounds, at most `limit`."""
    return min(
        limit,
        math.sqrt(MAX_PICTURE_PIXELS / (width * height)),
        MAX_PICTURE_EDGE / max(width, height),
    )


def _decode_heif(content: bytes) -> Image.Image:
    import pi_heif  # type: ignore[import-untyped] # noqa: PLC0415 - most files are not HEIC

    try:
        container = pi_heif.open_heif(BytesIO(content), convert_hdr_to_8bit=True)
        width, height = container.size
        if width * height > MAX_DECODED_PIXELS:
            raise TooComplex
        picture: Image.Image = container.to_pillow()
    except (ValueError, SyntaxError, EOFError, RuntimeError, OSError) as error:
        if _MEMORY_ERROR.search(str(error)):
            raise TooComplex from error
        raise Damaged from error
    return picture


def _draw_first_page(content: bytes) -> tuple[Image.Image, int]:
    """Return the first page of a PDF, with its form fields, and the count of its pages."""
    import pypdfium2  # type: ignore[import-untyped] # noqa: PLC0415 - most files are no PDF

    try:
        document = pypdfium2.PdfDocument(content)
        document.init_forms()
        page = document[0]
        width, height = page.get_size()
        if not (width > 0 and height > 0 and math.isfinite(width * height)):
            raise Damaged
        scale = _compute_scale(width, height, limit=MAX_PDF_SCALE)
        drawn: Image.Image = page.render(scale=scale, rev_byteorder=True).to_pil()
        return drawn, len(document)
    except pypdfium2.PdfiumError as error:
        needs_password = {pypdfium2.raw.FPDF_ERR_PASSWORD, pypdfium2.raw.FPDF_ERR_SECURITY}
        if error.err_code in needs_password:
            raise Protected from error
        raise Damaged from error
    except IndexError as error:  # it has no pages
        raise Damaged from error


def _encode(picture: Image.Image) -> bytes:
    scale = _compute_scale(picture.width, picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    if scale < 1:
        picture.thumbnail(size, reducing_gap=3.0)
    upright = picture.convert("RGBA") if picture.has_transparency_data else picture.convert("RGB")
    on_white = Image.new("RGB", upright.size, "white")
    on_white.paste(upright, mask=upright if upright.mode == "RGBA" else None)
    written = BytesIO()
    on_white.save(written, "JPEG", quality=80)
    return written.getvalue()


def _make_thumbnail(picture: bytes) -> bytes:
    width, height = THUMBNAIL_SIZE
    small = pyvips.Image.thumbnail_buffer(picture, width, height=height, size="down")
    encoded: bytes = small.jpegsave_buffer(Q=70, keep="none")
    return encoded


def _compute_fingerprint(content: bytes, picture: bytes) -> str:
    """Return the fingerprint of the file, or of its rendition if the file is of no common type."""
    return fingerprints.compute_fingerprint(content) or fingerprints.compute_fingerprint(picture)
