"""Small files that ask a lot of whoever opens them, written by hand."""

import struct
import zlib


def write_png(width: int, height: int, *, bits_per_pixel: int = 1) -> bytes:
    """Return an all-black PNG without decoding it; 20,000 x 20,000 pixels of one bit are 48 kB.

    Args:
        width: a multiple of 8.
        height: its rows.
        bits_per_pixel: 1 or 8 for gray, 24 for red, green and blue.

    """
    depth, colour_type = (8, 2) if bits_per_pixel == 24 else (bits_per_pixel, 0)
    row = bytes(1 + width * bits_per_pixel // 8)
    compressor = zlib.compressobj(9)
    rows = b"".join(compressor.compress(row) for _ in range(height)) + compressor.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_write_chunk(*part) for part in parts)


def write_gif(width: int, height: int) -> bytes:
    """Return a GIF of 43 bytes whose canvas takes four bytes of memory for each pixel."""
    canvas = struct.pack("<HHBBB", width, height, 0x80, 0, 0)
    colours = b"\0\0\0\xff\xff\xff"
    frame = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + canvas + colours + frame + b";"


def write_pdf(
    *, pages: int = 1, size: str = "0 0 595 842", drawing: bytes = b"", protected: bool = False
) -> bytes:
    """Return a PDF whose pages share one drawing.

    Args:
        pages: how many pages it has.
        size: the page's box in points.
        drawing: operators of the page's content.
        protected: whether it needs a password that nobody has.

    """
    kids = " ".join(f"{4 + index} 0 R" for index in range(pages))
    page = f"<</Type/Page/Parent 2 0 R/MediaBox[{size}]/Contents 3 0 R>>".encode()
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {pages}/Kids[{kids}]>>".encode(),
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawing), drawing),
        *(page for _ in range(pages)),
    ]
    written, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table_at = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    written += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    lock = _PASSWORD_ENTRIES if protected else b""
    written += b"trailer<</Size %d/Root 1 0 R%s>>\n" % (len(bodies) + 1, lock)
    written += b"startxref\n%d\n" % table_at
    return bytes(written + b"%%EOF\n")


_PASSWORD_ENTRIES = b"/ID[<00><00>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>" % (
    b"11" * 32,
    b"22" * 32,
)


def _write_chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
