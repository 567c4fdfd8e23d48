"""Tests of the bounded pictures that pages show of payment proofs."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pillow_heif
import pytest
from PIL import Image, ImageCms

from shared.core.enums import RenditionStatus
from shared.raffles import fingerprints
from shared.raffles.rendering import pictures
from shared.raffles.rendering.outcome import Rendering
from shared.raffles.rendering.renderer import RendererBusy, render_file
from tests.hostile_files import write_gif, write_pdf, write_png
from tests.receipts import draw_receipt
from tests.waiting import wait_until

pillow_heif.register_heif_opener()

RED_OVER_BLUE: Final = Image.new("RGB", (300, 200), "blue")
RED_OVER_BLUE.paste("red", (0, 0, 300, 100))

pytestmark = pytest.mark.acceptance  # each file has a process of its own


def encode(picture: Image.Image, kind: str, **options: Any) -> bytes:
    written = BytesIO()
    picture.save(written, kind, **options)
    return written.getvalue()


def build_orientation(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def open_picture(rendering: Rendering) -> Image.Image:
    assert rendering.status is RenditionStatus.MADE
    return Image.open(BytesIO(rendering.picture))


def find_colour(picture: Image.Image, at: tuple[int, int]) -> str:
    """Return the name of the nearest of three colours at a point."""
    pixel = picture.convert("RGB").getpixel(at)
    assert isinstance(pixel, tuple)
    return ("red", "green", "blue")[pixel.index(max(pixel))]


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("GIF", "image/gif"),
        ("TIFF", "image/tiff"),
        ("AVIF", "image/avif"),
        ("HEIF", "image/heic"),
    ],
)
def test_every_accepted_type_becomes_a_jpeg(kind: str, content_type: str) -> None:
    rendering = pictures.render(encode(RED_OVER_BLUE, kind), content_type=content_type)

    picture = open_picture(rendering)
    assert (picture.format, picture.size) == ("JPEG", (300, 200))
    assert find_colour(picture, (150, 20)) == "red"
    assert find_colour(picture, (150, 180)) == "blue"
    with Image.open(BytesIO(rendering.thumbnail)) as small:
        assert small.size == (240, 160)


@pytest.mark.parametrize(("kind", "content_type"), [("JPEG", "jpeg"), ("PNG", "png")])
@pytest.mark.parametrize(
    ("orientation", "size", "first"),
    [(1, (300, 200), "red"), (3, (300, 200), "blue"), (6, (200, 300), "blue")],
)
def test_a_picture_is_upright(
    kind: str, content_type: str, orientation: int, size: tuple[int, int], first: str
) -> None:
    content = encode(RED_OVER_BLUE, kind, exif=build_orientation(orientation))

    picture = open_picture(pictures.render(content, content_type=f"image/{content_type}"))

    assert picture.size == size
    assert find_colour(picture, (5, 5)) == first
    assert not picture.getexif()


@pytest.mark.parametrize("mode", ["CMYK", "L", "RGB"])
def test_colours_are_those_that_every_browser_shows(mode: str) -> None:
    picture = open_picture(
        pictures.render(encode(RED_OVER_BLUE.convert(mode), "JPEG"), content_type="image/jpeg")
    )

    assert picture.mode == "RGB"
    assert "icc_profile" not in picture.info
    if mode != "L":
        assert find_colour(picture, (150, 20)) == "red"
        assert find_colour(picture, (150, 180)) == "blue"


def test_a_picture_with_a_profile_has_the_colours_that_the_profile_means() -> None:
    standard = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red_is_blue = standard.replace(b"rXYZ", b"zXYZ").replace(b"bXYZ", b"rXYZ")
    content = encode(
        RED_OVER_BLUE, "JPEG", icc_profile=red_is_blue.replace(b"zXYZ", b"bXYZ"), quality=95
    )

    picture = open_picture(pictures.render(content, content_type="image/jpeg"))

    assert find_colour(picture, (150, 20)) == "blue"
    assert find_colour(picture, (150, 180)) == "red"


@pytest.mark.parametrize(("kind", "content_type"), [("GIF", "image/gif"), ("WEBP", "image/webp")])
def test_of_an_animation_the_first_frame_is_shown(kind: str, content_type: str) -> None:
    frames = [Image.new("RGB", (90, 60), colour) for colour in ("red", "blue")]
    content = encode(frames[0], kind, save_all=True, append_images=frames[1:])

    assert find_colour(
        open_picture(pictures.render(content, content_type=content_type)), (9, 9)
    ) == ("red")


def test_what_is_transparent_is_white() -> None:
    content = encode(Image.new("RGBA", (90, 60), (0, 0, 0, 0)), "PNG")

    picture = open_picture(pictures.render(content, content_type="image/png"))

    assert picture.getpixel((9, 9)) == (255, 255, 255)


def test_a_very_large_picture_is_shown_small() -> None:
    content = write_png(20_000, 20_000)
    assert len(content) < 50_000

    rendering = render_file(content, content_type="image/png")

    assert open_picture(rendering).size == (2_000, 2_000)


def test_a_long_screenshot_stays_legible() -> None:
    content = encode(Image.new("RGB", (1_080, 9_000), "white"), "PNG")

    width, height = open_picture(pictures.render(content, content_type="image/png")).size

    assert height <= pictures.MAX_PICTURE_EDGE
    assert width >= 600


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (write_gif(60_000, 60_000), "image/gif"),  # refused by its header
        (write_gif(22_000, 22_000), "image/gif"),  # refused by the limit of memory
    ],
    ids=["pixels", "memory"],
)
def test_what_would_take_too_much_is_not_shown(content: bytes, content_type: str) -> None:
    rendering = render_file(content, content_type=content_type)

    assert rendering == Rendering(RenditionStatus.TOO_COMPLEX)


def find_children() -> list[int]:
    """Return the ids of the processes that any thread of this process has started."""
    found: list[int] = []
    for thread in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # the thread has ended
            found += map(int, thread.read_text().split())
    return found


def test_a_process_that_is_stopped_with_the_gateway_says_nothing_about_the_file() -> None:
    before = set(find_children())
    curves = b"".join(b"%d 0 m 9 %d 300 %d 7 842 c S " % (n, n, n) for n in range(100_000))
    with ThreadPoolExecutor(1) as thread:
        rendering = thread.submit(
            render_file, write_pdf(drawing=curves), content_type="application/pdf"
        )
        wait_until(lambda: bool(set(find_children()) - before))
        for child in set(find_children()) - before:
            os.kill(child, signal.SIGTERM)

        with pytest.raises(RendererBusy):
            rendering.result()


@pytest.mark.parametrize(("kind", "content_type"), [("JPEG", "jpeg"), ("PNG", "png")])
def test_a_picture_that_is_cut_off_is_damaged(kind: str, content_type: str) -> None:
    whole = encode(draw_receipt(), kind)

    rendering = pictures.render(whole[: len(whole) // 2], content_type=f"image/{content_type}")

    assert rendering == Rendering(RenditionStatus.DAMAGED)


@pytest.mark.parametrize(
    "content_type", ["image/jpeg", "image/heic", "image/avif", "application/pdf"]
)
def test_garbage_is_damaged(content_type: str) -> None:
    garbage = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"%PDF-1.7" + bytes(300)

    assert pictures.render(garbage, content_type=content_type).status is RenditionStatus.DAMAGED


def test_of_a_pdf_the_first_page_is_shown_and_the_pages_are_counted() -> None:
    red = b"1 0 0 rg 0 0 595 842 re f"

    rendering = pictures.render(
        write_pdf(pages=10_000, drawing=red), content_type="application/pdf"
    )

    picture = open_picture(rendering)
    assert rendering.page_count == 10_000
    assert find_colour(picture, (100, 100)) == "red"
    assert picture.width * picture.height <= pictures.MAX_PICTURE_PIXELS * 1.01
    assert rendering.fingerprint == ""


def test_a_huge_page_is_shown_small() -> None:
    content = write_pdf(size="0 0 1440000 1440000")

    picture = open_picture(pictures.render(content, content_type="application/pdf"))

    assert picture.size == (2_000, 2_000)


@pytest.mark.parametrize("content", [write_pdf(pages=0), b"%PDF-1.7"], ids=["no pages", "cut off"])
def test_a_pdf_without_a_page_is_damaged(content: bytes) -> None:
    assert (
        pictures.render(content, content_type="application/pdf").status is RenditionStatus.DAMAGED
    )


def test_a_pdf_with_a_password_is_protected() -> None:
    rendering = pictures.render(write_pdf(protected=True), content_type="application/pdf")

    assert rendering.status is RenditionStatus.PROTECTED


def test_a_heic_photo_has_the_fingerprint_of_its_copies() -> None:
    receipt = draw_receipt()

    heic = pictures.render(encode(receipt, "HEIF", quality=90), content_type="image/heic")
    jpeg = pictures.render(encode(receipt, "JPEG"), content_type="image/jpeg")

    assert fingerprints.is_same_picture(heic.fingerprint, jpeg.fingerprint)
