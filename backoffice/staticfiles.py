"""Static files under names with a hash of their content, so that browsers keep them for ever."""

from pathlib import Path
from typing import Any

from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]
from whitenoise.storage import (  # type: ignore[import-untyped]
    CompressedManifestStaticFilesStorage,
)


class StaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's storage that does not fail a page over a name its manifest lacks.

    Jazzmin 3.0.5 asks for the folder `vendor/bootswatch`, which no manifest has.
    """

    manifest_strict = False

    def hashed_name(self, name: str, *args: Any, **kwargs: Any) -> str:
        """Give the plain name where the file was not collected; the finders serve it then."""
        try:
            return str(super().hashed_name(name, *args, **kwargs))
        except ValueError:
            if self._new_files is not None:  # while collecting, a missing file is a fault
                raise
            return name


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise's middleware that starts without a word before anything was collected."""

    def add_files(self, root: str, prefix: str | None = None) -> None:
        """Take the files of a folder, if it is there."""
        if Path(root).is_dir():
            super().add_files(root, prefix)
