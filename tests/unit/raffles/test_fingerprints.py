"""Tests of picture fingerprints: copies are similar, receipts of the same bank are not."""

from io import BytesIO

import pytest
from PIL import Image

from shared.raffles import fingerprints
from tests.receipts import COPY_METHODS, draw_receipt, encode_jpeg, photograph_receipt

RECEIPT = fingerprints.compute_fingerprint(encode_jpeg(draw_receipt()))


class TestAlike:
    @pytest.mark.parametrize("copy", COPY_METHODS)
    def test_knows_a_copy_of_a_receipt_by_its_looks_and_by_its_bands(self, copy: str) -> None:
        seen = fingerprints.compute_fingerprint(COPY_METHODS[copy](draw_receipt()))

        assert fingerprints.is_same_picture(RECEIPT, seen)
        assert fingerprints.compute_bands(RECEIPT) & fingerprints.compute_bands(seen)

    def test_knows_a_receipt_in_which_the_amount_was_changed(self) -> None:
        seen = fingerprints.compute_fingerprint(encode_jpeg(draw_receipt(amount="$75.00")))

        assert fingerprints.is_same_picture(RECEIPT, seen)

    @pytest.mark.parametrize("serial", range(4))
    def test_tells_receipts_of_the_same_bank_apart(self, serial: int) -> None:
        other = draw_receipt(
            amount=f"${25 + serial}.00",
            reference=("R-9QXW2", "R-4MHT8", "R-PZK63", "R-V5N7C")[serial],
            at=f"{serial + 3} Oct 2026 1{serial}:47",
            operation=str(553_018_996_421 + serial * 77_777_777_771),
        )

        assert not fingerprints.is_same_picture(
            RECEIPT, fingerprints.compute_fingerprint(encode_jpeg(other))
        )

    @pytest.mark.parametrize("copy", ["compressed", "halved", "screenshot"])
    def test_knows_a_copy_of_a_noisy_photo(self, copy: str) -> None:
        photo = photograph_receipt(draw_receipt())
        taken = fingerprints.compute_fingerprint(encode_jpeg(photo))
        seen = fingerprints.compute_fingerprint(COPY_METHODS[copy](photo))

        assert fingerprints.is_same_picture(taken, seen)
        assert fingerprints.compute_bands(taken) & fingerprints.compute_bands(seen)

    def test_finds_nothing_alike_without_a_fingerprint(self) -> None:
        assert not fingerprints.is_same_picture("", "")


class TestOfPicture:
    def test_turns_a_picture_as_its_camera_was_held(self) -> None:
        upright, turned = draw_receipt(), draw_receipt().rotate(90, expand=True)
        exif = Image.Exif()
        exif[0x0112] = 6  # EXIF: rotate by 90 degrees
        written = BytesIO()
        turned.save(written, "JPEG", exif=exif)

        seen = fingerprints.compute_fingerprint(written.getvalue())

        assert fingerprints.is_same_picture(
            fingerprints.compute_fingerprint(encode_jpeg(upright)), seen
        )

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"%PDF-1.4 nothing to see",
            b"\xff\xd8\xff a picture",
            encode_jpeg(draw_receipt())[:3000],
            encode_jpeg(Image.new("RGB", (300, 300), "white")),
        ],
        ids=["empty", "pdf", "garbage", "cut off", "plain"],
    )
    def test_gives_none_for_what_cannot_be_compared(self, content: bytes) -> None:
        assert fingerprints.compute_fingerprint(content) == ""

    def test_does_not_unpack_a_bomb(self) -> None:
        written = BytesIO()
        Image.new("1", (8_000, 8_001)).save(written, "PNG")

        assert len(written.getvalue()) < 20_000
        assert fingerprints.compute_fingerprint(written.getvalue()) == ""
