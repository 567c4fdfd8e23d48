"""Files of payment proofs: the accepted types, detected by content, and the check of the hash."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256 as compute_sha256
from typing import Final

import filetype

from shared.whatsapp.content import normalise_sha256
from shared.whatsapp.errors import MediaCorrupt, MediaWrongType

PROOF_FILE_EXTENSIONS: Final[Mapping[str, str]] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/heic": "heic",
    "application/pdf": "pdf",
}
"""The accepted content types, and the file extension of each."""

_PDF_HEADER_WITHIN: Final = 1024  # readers accept a PDF that begins this late


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file whose type was detected by its content.

    Attributes:
        content: its bytes.
        content_type: one of `PROOF_FILE_EXTENSIONS`.
        extension: the extension for its name, without a dot.
        sha256: the hash of its bytes, in hex.

    """

    content: bytes
    content_type: str
    extension: str
    sha256: str


def check_media_file(content: bytes, *, announced: tuple[str, ...]) -> MediaFile:
    """Return a downloaded file with its type, after a check of its hash.

    Args:
        content: its bytes.
        announced: the announced hashes, in hex or Base64; empty ones do not count.

    Raises:
        MediaCorrupt: its hash is none of the announced ones.
        MediaWrongType: it is not of an accepted type.

    """
    digest = compute_sha256(content).hexdigest()
    expected = {normalise_sha256(value) for value in announced} - {""}
    if expected and digest not in expected:
        raise MediaCorrupt
    content_type = _detect_content_type(content)
    if content_type not in PROOF_FILE_EXTENSIONS:
        raise MediaWrongType
    return MediaFile(
        content=content,
        content_type=content_type,
        extension=PROOF_FILE_EXTENSIONS[content_type],
        sha256=digest,
    )


def _detect_content_type(content: bytes) -> str:
    kind = filetype.guess(content)
    if kind is not None:
        return str(kind.mime)
    return "application/pdf" if b"%PDF-" in content[:_PDF_HEADER_WITHIN] else ""
