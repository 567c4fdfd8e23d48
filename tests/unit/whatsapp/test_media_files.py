"""Tests of the types of files, which their content decides."""

from io import BytesIO
from typing import Final

import pillow_heif
import pytest
from PIL import Image

from shared.whatsapp.errors import MediaEmpty, MediaWrongType
from shared.whatsapp.media_files import PROOF_FILE_EXTENSIONS, check_media_file

pillow_heif.register_heif_opener()


def draw_picture(kind: str) -> bytes:
    written = BytesIO()
    Image.new("RGB", (64, 64), "navy").save(written, kind)
    return written.getvalue()


def write_brands(main: bytes, *compatible: bytes) -> bytes:
    """Return the first box of an ISO media file, and some bytes of the next."""
    size = 16 + 4 * len(compatible)
    return size.to_bytes(4) + b"ftyp" + main + bytes(4) + b"".join(compatible) + bytes(64)


PICTURES: Final = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "HEIF": "image/heic",
    "AVIF": "image/avif",
}


@pytest.mark.parametrize(("kind", "content_type"), PICTURES.items())
def test_a_picture_has_the_type_of_its_content(kind: str, content_type: str) -> None:
    found = check_media_file(draw_picture(kind), announced=())

    assert found.content_type == content_type
    assert found.extension == PROOF_FILE_EXTENSIONS[content_type]


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        *(
            (write_brands(brand, b"mif1"), "image/heic")
            for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")
        ),
        (write_brands(b"mif1", b"mif1", b"heic"), "image/heic"),
        (write_brands(b"msf1", b"hevc"), "image/heic"),
        (write_brands(b"mif1", b"miaf"), "image/heif"),
        (write_brands(b"msf1"), "image/heif"),
        (write_brands(b"avif"), "image/avif"),
        (write_brands(b"avis", b"msf1"), "image/avif"),
        (write_brands(b"mif1", b"mif1", b"avif"), "image/avif"),
    ],
)
def test_every_brand_of_the_heif_family_is_known(content: bytes, content_type: str) -> None:
    assert check_media_file(content, announced=()).content_type == content_type


@pytest.mark.parametrize(
    "content",
    [
        write_brands(b"isom", b"mp42"),
        write_brands(b"qt  "),
        b"\xff\xff\xff\xffftypisom" + bytes(10_000),
        b"ftyp",
        b"\0\0\0\x18ftyp",
    ],
)
def test_a_video_is_no_picture(content: bytes) -> None:
    with pytest.raises(MediaWrongType):
        check_media_file(content, announced=())


def test_a_file_without_content_is_empty() -> None:
    with pytest.raises(MediaEmpty):
        check_media_file(b"", announced=())
