"""Files of payment proofs: the accepted types, detected by content, and the check of the hash."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256 as compute_sha256
from typing import Final

import filetype

from shared.whatsapp.content import normalise_sha256
from shared.whatsapp.errors import MediaCorrupt, MediaEmpty, MediaWrongType

PROOF_FILE_EXTENSIONS: Final[Mapping[str, str]] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/heif": "heif",
    "image/avif": "avif",
    "image/tiff": "tif",
    "application/pdf": "pdf",
}
"""The accepted content types, and the file extension of each."""

_HEIF_BRANDS: Final[Mapping[str, frozenset[bytes]]] = {
    "image/avif": frozenset({b"avif", b"avis"}),
    "image/heic": frozenset(
        {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
    ),
    "image/heif": frozenset({b"mif1", b"mif2", b"msf1"}),
}
"""Brands of the HEIF family by content type, the most specific first.

Source: ISO/IEC 23008-12 (HEIF), annexes B and E, and the AV1 Image File Format.
"""

_MAX_BRANDS: Final = 64

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
        MediaEmpty: it has no bytes.
        MediaWrongType: it is not of an accepted type.

    """
    digest = compute_sha256(content).hexdigest()
    expected = {normalise_sha256(value) for value in announced} - {""}
    if expected and digest not in expected:
        raise MediaCorrupt
    if not content:
        raise MediaEmpty
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
    if heif_type := _detect_heif_type(content):
        return heif_type
    kind = filetype.guess(content)
    if kind is not None:
        return str(kind.mime)
    return "application/pdf" if b"%PDF-" in content[:_PDF_HEADER_WITHIN] else ""


def _detect_heif_type(content: bytes) -> str:
    """Return the type of a picture of the HEIF family by its brands; empty if it is none.

    Phones name the codec in the main brand or among the compatible ones.
    """
    if content[4:8] != b"ftyp":
        return ""
    end = min(int.from_bytes(content[:4]), 16 + 4 * _MAX_BRANDS)
    brands = {content[8:12], *(content[at : at + 4] for at in range(16, end, 4))}
    return next((kind for kind, known in _HEIF_BRANDS.items() if brands & known), "")
