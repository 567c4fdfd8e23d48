"""Small pictures of big ones, made when they are looked at and kept by the browser."""

from io import BytesIO
from typing import Final

from django.db.models.fields.files import FieldFile
from PIL import Image, ImageOps, UnidentifiedImageError

THUMBNAIL_SIZE: Final = (240, 320)
"""Pixels a small picture takes at most: twice what a list shows, for dense screens."""

MAX_SOURCE_PIXELS: Final = 30_000_000
"""Pixels of the largest picture that is opened at all: about 90 MB of memory."""

_FORMATS: Final = ("JPEG", "PNG", "WEBP")


def make_thumbnail(file: FieldFile) -> bytes | None:
    """Make a small JPEG of a stored picture, turned as its camera held it.

    Args:
        file: the field that points to it.

    Returns:
        None where the file is away, is no picture or would be too large in memory.

    """
    try:
        with file.open("rb") as opened, Image.open(opened, formats=_FORMATS) as picture:
            if picture.width * picture.height > MAX_SOURCE_PIXELS:
                return None
            picture.draft("RGB", THUMBNAIL_SIZE)  # a JPEG is then read at an eighth of its size
            return _encode_thumbnail(picture)
    except (FileNotFoundError, ValueError, UnidentifiedImageError, OSError, SyntaxError):
        return None
    except Image.DecompressionBombError:
        return None


def _encode_thumbnail(picture: Image.Image) -> bytes:
    upright = ImageOps.exif_transpose(picture)
    upright.thumbnail(THUMBNAIL_SIZE)
    on_white = Image.new("RGB", upright.size, "white")
    clear = upright.convert("RGBA")
    on_white.paste(clear, mask=clear.getchannel("A"))
    written = BytesIO()
    on_white.save(written, "JPEG", quality=70)
    return written.getvalue()
