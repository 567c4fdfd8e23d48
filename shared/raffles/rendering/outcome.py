"""The outcome of rendering a file; its process imports little, so that it starts fast."""

from dataclasses import dataclass

from shared.core.enums import RenditionStatus


@dataclass(frozen=True, slots=True)
class Rendering:
    """The outcome of rendering a file.

    Attributes:
        status: whether there is a picture, or why there is none; never `PENDING`.
        picture: the picture for pages, a JPEG; empty if there is none.
        thumbnail: the picture for lists, a JPEG; empty if there is none.
        fingerprint: by `fingerprints.compute_fingerprint`; empty for a PDF.
        page_count: pages of a PDF; 0 for a picture.

    """

    status: RenditionStatus
    picture: bytes = b""
    thumbnail: bytes = b""
    fingerprint: str = ""
    page_count: int = 0
