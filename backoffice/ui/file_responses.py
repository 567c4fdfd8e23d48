"""Responses with pictures and PDFs from private storage that cannot run scripts."""

from typing import Final

from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase

INLINE_CONTENT_TYPES: Final = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/avif": ".avif",
    "application/pdf": ".pdf",
}
"""Content types that browsers show without running scripts; others become downloads."""

DOWNLOAD_CONTENT_TYPES: Final = {
    "image/heic": ".heic",
    "image/heif": ".heif",
    "image/tiff": ".tif",
}
"""Further content types of proofs, which are downloaded under their own name."""

PICTURE_CSP: Final = "default-src 'none'; sandbox"
"""A picture runs nothing, loads nothing and has an origin of its own."""

_PDF_CSP: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""A PDF viewer does not work inside a sandbox; it has inline styles and loads nothing."""


def build_file_response(file: FieldFile, *, content_type: str, name: str) -> HttpResponseBase:
    """Return a response that shows a stored file, or downloads it if its type is not safe.

    Args:
        file: The field of the stored file.
        content_type: The content type detected from its content.
        name: The file name for the download, without a suffix.

    Raises:
        Http404: The file is not in the storage.

    """
    suffix = (INLINE_CONTENT_TYPES | DOWNLOAD_CONTENT_TYPES).get(content_type)
    try:
        opened = file.open("rb")
    except (FileNotFoundError, ValueError) as error:
        raise Http404("The file is not in the storage.") from error
    response = FileResponse(
        opened,
        as_attachment=content_type not in INLINE_CONTENT_TYPES,
        filename=name + (suffix or ".bin"),
        content_type=content_type if suffix else "application/octet-stream",
    )
    response["X-Content-Type-Options"] = "nosniff"
    pdf = content_type == "application/pdf"
    response["Content-Security-Policy"] = _PDF_CSP if pdf else PICTURE_CSP
    return response


def build_picture_response(file: FieldFile, *, name: str) -> HttpResponseBase:
    """Return a response that shows a picture which a form has accepted: a PNG or a JPEG.

    Args:
        file: The field of the stored picture.
        name: The file name for the download, without a suffix.

    Raises:
        Http404: There is no picture.

    """
    kind = "image/png" if (file.name or "").lower().endswith(".png") else "image/jpeg"
    return build_file_response(file, content_type=kind, name=name)


def build_jpeg_response(picture: bytes) -> HttpResponse:
    """Return a response that shows a JPEG."""
    response = HttpResponse(picture, content_type="image/jpeg")
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = PICTURE_CSP
    return response
