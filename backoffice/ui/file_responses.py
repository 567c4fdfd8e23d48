"""Responses with pictures and PDFs from private storage that cannot run scripts."""

from typing import Final

from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404
from django.http.response import HttpResponseBase

INLINE_CONTENT_TYPES: Final = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "application/pdf": ".pdf",
}
"""Content types that browsers show without running scripts; others become downloads."""

PICTURE_CONTENT_TYPES: Final = frozenset({"image/jpeg", "image/png", "image/webp"})

PICTURE_CSP: Final = "default-src 'none'; sandbox"
"""A picture runs nothing, loads nothing and has an origin of its own."""

_PDF_CSP: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
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
    suffix = INLINE_CONTENT_TYPES.get(content_type)
    try:
        opened = file.open("rb")
    except (FileNotFoundError, ValueError) as error:
        raise Http404("The file is not in the storage.") from error
    response = FileResponse(
        opened,
        as_attachment=suffix is None,
        filename=name + (suffix or ".bin"),
        content_type=content_type if suffix else "application/octet-stream",
    )
    response["X-Content-Type-Options"] = "nosniff"
    pdf = content_type == "application/pdf"
    response["Content-Security-Policy"] = _PDF_CSP if pdf else PICTURE_CSP
    return response
