"""Meta's rules for media in messages and uploads.

Source: developers.facebook.com/documentation/business-messaging/whatsapp, page
business-phone-numbers/media.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from deploy.sandbox import graph_errors
from deploy.sandbox.graph_api import fields

MAX_CAPTION_LENGTH: Final = 1024
MEGABYTE: Final = 1024 * 1024
DOCUMENT_MIME_TYPES: Final = (
    "text/plain",
    "application/pdf",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
)
SENDABLE_MEDIA: Final[Mapping[str, tuple[int, tuple[str, ...]]]] = {
    "image": (5 * MEGABYTE, ("image/jpeg", "image/png")),
    "audio": (
        16 * MEGABYTE,
        ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"),
    ),
    "video": (16 * MEGABYTE, ("video/mp4", "video/3gpp")),
    "document": (100 * MEGABYTE, DOCUMENT_MIME_TYPES),
    "sticker": (512 * 1024, ("image/webp",)),
}
ATTACHMENT_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "image": frozenset({"id", "link", "caption"}),
    "audio": frozenset({"id", "link", "voice"}),
    "video": frozenset({"id", "link", "caption"}),
    "document": frozenset({"id", "link", "caption", "filename"}),
    "sticker": frozenset({"id", "link"}),
}

FindMimeType = Callable[[str], str | None]
"""Returns the MIME type of an uploaded media id, or None if there is no such media."""


def check_attachment(
    attachment: Mapping[str, Any],
    *,
    kind: str,
    path: str,
    find_mime_type: FindMimeType,
    caption: bool = True,
) -> None:
    """Check a media object: exactly one of `id` and `link`, of the right type.

    Args:
        attachment: the media object.
        kind: type of the message, such as `image`.
        path: path of the object in the request, for the texts of errors.
        find_mime_type: returns the MIME type of a media id.
        caption: whether a caption is allowed.

    Raises:
        GraphApiRefusal: Meta would refuse it.

    """
    allowed = ATTACHMENT_KEYS[kind] if caption else ATTACHMENT_KEYS[kind] - {"caption"}
    fields.check_known_keys(attachment, allowed, path=path)
    link = fields.read_string(attachment, "link", path=f"{path}['link']", optional=True)
    media_id = fields.read_string(attachment, "id", path=f"{path}['id']", optional=True)
    if link is None and media_id is None:
        raise graph_errors.GraphApiRefusal(131008, details=f"{path} must have an id or a link")
    if link is not None and media_id is not None:
        raise graph_errors.build_invalid_value_error(
            f"{path} must have either an id or a link, not both"
        )
    if link is not None:
        fields.check_web_address(link, path=f"{path}['link']")
    if media_id is not None and find_mime_type(media_id) not in SENDABLE_MEDIA[kind][1]:
        raise graph_errors.build_schema_error(
            f"Param {path}['id'] is not a valid whatsapp business account media attachment ID"
        )
    text = fields.read_string(attachment, "caption", path=f"{path}['caption']", optional=True)
    if text is not None and fields.measure_text(text) > MAX_CAPTION_LENGTH:
        raise graph_errors.build_schema_error(
            f"Param {path}['caption'] must be at most {MAX_CAPTION_LENGTH} characters long."
        )


def check_upload(*, mime_type: str, size: int) -> None:
    """Check the type and the size (in bytes) of an upload.

    Raises:
        GraphApiRefusal: Meta would refuse it.

    """
    for limit, types in SENDABLE_MEDIA.values():
        if mime_type in types:
            if size > limit:
                raise graph_errors.build_schema_error(
                    f"Param file is too large. Max size: {limit} bytes."
                )
            return
    every = ", ".join(name for _, types in SENDABLE_MEDIA.values() for name in types)
    raise graph_errors.build_schema_error(
        f"Param file must be a file with one of the following types: {every}."
    )
