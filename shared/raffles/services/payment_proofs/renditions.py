"""Bounded pictures of payment proofs for pages, made once and kept in a storage of their own.

Pages never show a proof's file itself: a small file may decode to gigabytes. The gateway makes the
pictures when it has fetched a file; for a file of an older version, or if the storage was emptied,
they are made when they are first looked at. Identical files share their pictures.
"""

from enum import StrEnum
from typing import Final

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages

from shared.core import logs
from shared.core.enums import RenditionStatus
from shared.raffles.models import PaymentProof
from shared.raffles.rendering import renderer
from shared.raffles.rendering.outcome import Rendering

SHOWABLE_STATUSES: Final = frozenset({RenditionStatus.PENDING, RenditionStatus.MADE})
"""Statuses of proofs that have a picture, or may get one."""

_JPEG_END: Final = bytes.fromhex("ffd9")

logger = logs.get_logger(__name__)


class RenditionKind(StrEnum):
    """The pictures of a proof: for its own page, and for lists."""

    PICTURE = "picture"
    THUMBNAIL = "thumbnail"


def load_rendition(proof: PaymentProof, kind: RenditionKind) -> bytes | None:
    """Return a JPEG of a proof; it is made if it is missing.

    Args:
        proof: a proof with a file.
        kind: which of its pictures.

    Returns:
        None if the file cannot be shown or is not in the storage.

    Raises:
        RendererBusy: it is missing, and too many others are being made.

    """
    if not proof.file or not proof.sha256 or proof.rendition not in SHOWABLE_STATUSES:
        return None
    is_rendered = proof.rendition == RenditionStatus.MADE  # else its pages are not counted
    if is_rendered and (stored := _read_rendition(proof.sha256, kind)):
        return stored
    try:
        with proof.file.open("rb") as file:
            content = file.read()
    except (OSError, ValueError):
        return None
    rendering = renderer.render_file(content, content_type=proof.content_type)
    store_rendition(rendering, sha256=proof.sha256)
    still_there = PaymentProof.objects.filter(pk=proof.pk).exclude(file="")
    if not still_there.update(rendition=rendering.status, page_count=rendering.page_count):
        delete_renditions(proof.sha256)  # it was erased meanwhile
        return None
    proof.rendition, proof.page_count = rendering.status, rendering.page_count
    return _choose_picture(rendering, kind) or None


def store_rendition(rendering: Rendering, *, sha256: str) -> None:
    """Store the pictures of a file; if that fails, they are made again when they are looked at.

    Args:
        rendering: the outcome of rendering the file.
        sha256: SHA-256 of the file, in hex.

    """
    if rendering.status != RenditionStatus.MADE:
        return
    try:
        for kind in RenditionKind:
            content = ContentFile(_choose_picture(rendering, kind))
            _get_storage().save(_build_name(sha256, kind), content)
    except OSError as error:
        logger.warning("rendition_not_stored", reason=type(error).__name__)


def delete_renditions(sha256: str) -> None:
    """Delete the pictures of a file, if there are any.

    Raises:
        OSError: the storage refuses.

    """
    for kind in RenditionKind:
        _get_storage().delete(_build_name(sha256, kind))


def _choose_picture(rendering: Rendering, kind: RenditionKind) -> bytes:
    return rendering.picture if kind is RenditionKind.PICTURE else rendering.thumbnail


def _read_rendition(sha256: str, kind: RenditionKind) -> bytes | None:
    """Return a stored picture; None if there is none, or if another process is writing it."""
    try:
        with _get_storage().open(_build_name(sha256, kind), "rb") as file:
            content: bytes = file.read()
    except OSError:
        return None
    return content if content.endswith(_JPEG_END) else None


def _get_storage() -> Storage:
    return storages["renditions"]


def _build_name(sha256: str, kind: RenditionKind) -> str:
    return f"{sha256[:2]}/{sha256}-{kind}.jpg"
