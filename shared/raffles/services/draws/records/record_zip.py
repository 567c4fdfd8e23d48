"""ZIPs of a record: the same content gives the same bytes, and large files are never in memory."""

import hashlib
import tempfile
import zipfile
from collections.abc import Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import IO, Final, Self

_FIRST_DATE: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a ZIP can hold; every file of a record has it."""
_PERMISSIONS: Final = 0o644 << 16
_UNIX: Final = 3
_CHUNK_SIZE: Final = 256 * 1024
"""Bytes that are compressed at once; single lines would take several times as long."""


class RecordZip:
    """A ZIP that is being written into a temporary file, which is removed if that fails.

    Attributes:
        hashes: SHA-256 by name of the file, in hex.

    """

    def __init__(self) -> None:
        self.hashes: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Open the temporary file."""
        with ExitStack() as cleanup:
            self._file: IO[bytes] = cleanup.enter_context(tempfile.TemporaryFile())
            self._archive = cleanup.enter_context(
                zipfile.ZipFile(self._file, "w", compression=zipfile.ZIP_DEFLATED)
            )
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove the temporary file, unless `hand_over` has handed it over."""
        self._cleanup.close()

    def add(self, name: str, content: Iterable[bytes]) -> None:
        """Add a file from its parts, which may be many and small."""
        info = zipfile.ZipInfo(name, date_time=_FIRST_DATE)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = _PERMISSIONS
        info.create_system = _UNIX
        digest = hashlib.sha256()
        with self._archive.open(info, "w") as member:
            buffer = bytearray()
            for part in content:
                buffer += part
                if len(buffer) >= _CHUNK_SIZE:
                    digest.update(buffer)
                    member.write(buffer)
                    buffer.clear()
            digest.update(buffer)
            member.write(buffer)
        self.hashes[name] = digest.hexdigest()

    def add_checksums(self, name: str) -> None:
        """Add the hashes of all files so far, as `sha256sum` writes them."""
        lines = [f"{digest}  {file}\n" for file, digest in self.hashes.items()]
        self.add(name, ["".join(lines).encode()])

    def hand_over(self) -> IO[bytes]:
        """Write the ZIP's directory, and return the file at its beginning; the caller closes it."""
        self._archive.close()
        self._file.seek(0)
        self._cleanup.pop_all()
        return self._file
