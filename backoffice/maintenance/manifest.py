"""The manifest of a backup: what is in it, with counts and checksums."""

from datetime import datetime
from typing import Final, Literal

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.utils import validate_file_name
from pydantic import BaseModel, ConfigDict, field_validator

MANIFEST_NAME: Final = "manifest.json"
DATABASE_NAME: Final = "database"
FILES_FOLDER: Final = "files"


class StoredFile(BaseModel):
    """A file of a storage, such as a payment proof.

    Attributes:
        storage: alias of the storage in Django's setting `STORAGES`.
        name: name in that storage.
        size: in bytes.
        sha256: in hex.

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    storage: str
    name: str
    size: int
    sha256: str

    @field_validator("name")
    @classmethod
    def _stays_in_its_storage(cls, name: str) -> str:
        """Refuse an absolute name, and one that leads upwards."""
        try:
            validate_file_name(name, allow_relative_path=True)
        except SuspiciousFileOperation as error:
            raise ValueError(str(error)) from error
        return name

    @property
    def path(self) -> str:
        """Name in the archive."""
        return build_archive_path(self.storage, self.name)


class Manifest(BaseModel):
    """The manifest of a backup, the last file of its archive.

    Attributes:
        format: version of this format.
        product_version: version of the product that made it.
        vendor: `sqlite` or `postgresql`.
        migrations: applied migrations as `app.name`.
        row_counts: number of rows by table.
        database_sha256: checksum of the copy of the database, in hex.
        missing_files: files that the database names and no storage has.

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    product_version: str
    created_at: datetime
    vendor: str
    migrations: list[str]
    row_counts: dict[str, int]
    database_sha256: str
    files: list[StoredFile]
    missing_files: list[str]


def build_archive_path(storage: str, name: str) -> str:
    """Return the name that a stored file has in the archive."""
    return f"{FILES_FOLDER}/{storage}/{name}"
