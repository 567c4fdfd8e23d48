"""Static files with a content hash in their names, so that browsers can cache them forever."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]
from whitenoise.storage import (  # type: ignore[import-untyped]
    CompressedManifestStaticFilesStorage,
)


class StaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's storage without an error for a name that the manifest lacks.

    Jazzmin 3.0.5 asks for the folder `vendor/bootswatch`, which no manifest has.
    """

    manifest_strict = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Read the manifest, which is not read again."""
        super().__init__(*args, **kwargs)
        self._urls: dict[tuple[str, bool], str] = {}

    def url(self, name: str, force: bool = False) -> str:
        """Return the URL of a file, looked up once: each page asks for a dozen."""
        asked = (name, force)
        if asked not in self._urls:
            self._urls[asked] = str(super().url(name, force))
        return self._urls[asked]

    def hashed_name(self, name: str, *args: Any, **kwargs: Any) -> str:
        """Return the plain name if the file was not collected; the finders serve it then."""
        try:
            return str(super().hashed_name(name, *args, **kwargs))
        except ValueError:
            if self._new_files is not None:  # while collecting, a missing file is an error
                raise
            return name

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Compress the files under their hashed names alone, those that pages ask for."""
        compressed: Iterator[tuple[str, str]] = super().compress_files(
            set(paths) & set(self.hashed_files.values())
        )
        return compressed


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise's middleware without a warning before `collectstatic` has run."""

    def add_files(self, root: str, prefix: str | None = None) -> None:
        """Add the files of a folder if it exists."""
        if Path(root).is_dir():
            super().add_files(root, prefix)
