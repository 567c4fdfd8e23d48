"""Pictures and PDFs from private storage, sent so that a browser cannot be tricked by them."""

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
"""What browsers only draw; anything else could run, and is offered as a download."""

PICTURE_CONTENT_TYPES: Final = frozenset({"image/jpeg", "image/png", "image/webp"})

PICTURE_CSP: Final = "default-src 'none'; sandbox"
"""A picture runs nothing, loads nothing and is nobody's origin."""

_PDF_CSP: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
"""A browser's PDF viewer does not work inside a sandbox; it styles itself, and loads nothing."""


def build_file_response(file: FieldFile, *, content_type: str, name: str) -> HttpResponseBase:
    """Send a stored file to be shown, or as a download where its type is not a safe one.

    Args:
        file: the field that points to it.
        content_type: what its content was found to be.
        name: what it is called when saved, without its ending.

    Raises:
        Http404: the storage has not got it.

    """
    ending = INLINE_CONTENT_TYPES.get(content_type)
    try:
        opened = file.open("rb")
    except (FileNotFoundError, ValueError) as error:
        raise Http404("The file is not in the storage.") from error
    response = FileResponse(
        opened,
        as_attachment=ending is None,
        filename=name + (ending or ".bin"),
        content_type=content_type if ending else "application/octet-stream",
    )
    response["X-Content-Type-Options"] = "nosniff"
    pdf = content_type == "application/pdf"
    response["Content-Security-Policy"] = _PDF_CSP if pdf else PICTURE_CSP
    return response
