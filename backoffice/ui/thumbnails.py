"""Thumbnails of stored pictures, made on request and cached by the browser."""

from io import BytesIO
from typing import Final

from django.db.models.fields.files import FieldFile
from PIL import Image, ImageOps, UnidentifiedImageError

THUMBNAIL_SIZE: Final = (240, 320)
"""Maximum width and height in pixels: twice the size in a list, for high-density screens."""

MAX_SOURCE_PIXELS: Final = 30_000_000
"""Pixels of the largest picture that is opened: about 90 MB of memory."""

_FORMATS: Final = ("JPEG", "PNG", "WEBP")


def make_thumbnail(file: FieldFile) -> bytes | None:
    """Return a small JPEG of a stored picture, turned upright.

    Args:
        file: The field of the stored file.

    Returns:
        None if the file is missing, is not a picture or would be too large in memory.

    """
    try:
        with file.open("rb") as opened, Image.open(opened, formats=_FORMATS) as picture:
            if picture.width * picture.height > MAX_SOURCE_PIXELS:
                return None
            picture.draft("RGB", THUMBNAIL_SIZE)  # decodes a JPEG at down to an eighth of its size
            return _encode_thumbnail(picture)
    except (FileNotFoundError, ValueError, UnidentifiedImageError, OSError, SyntaxError):
        return None
    except Image.DecompressionBombError:
        return None


def _encode_thumbnail(picture: Image.Image) -> bytes:
    upright = ImageOps.exif_transpose(picture)
    upright.thumbnail(THUMBNAIL_SIZE)
    on_white = Image.new("RGB", upright.size, "white")
    with_alpha = upright.convert("RGBA")
    on_white.paste(with_alpha, mask=with_alpha.getchannel("A"))
    buffer = BytesIO()
    on_white.save(buffer, "JPEG", quality=70)
    return buffer.getvalue()
