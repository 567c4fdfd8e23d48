"""Backup of an installation into one archive, and restore into an empty place."""

import errno
import hashlib
import os
import tarfile
import tempfile
import zlib
from collections.abc import Collection, Container, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Final

from django.core.files.base import File
from django.core.files.storage import storages
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from pydantic import ValidationError

from backoffice.maintenance import database_copies
from backoffice.maintenance.database_copies import DatabaseCopier, Query
from backoffice.maintenance.errors import BackupInvalid, MaintenanceError, PlaceNotEmpty
from backoffice.maintenance.manifest import (
    DATABASE_NAME,
    MANIFEST_NAME,
    Manifest,
    StoredFile,
    build_archive_path,
)
from backoffice.maintenance.stored_files import list_file_columns
from shared.core.version import get_program_version
from shared.raffles.services.ticket_numbers import inventory

type Content = IO[bytes] | File[bytes]
"""A file that is open for reading."""

CHUNK_SIZE: Final = 1024 * 1024
"""Bytes of a file that are read at once."""

DISK_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

COMPRESSION: Final = 1
"""Level of gzip: pictures and PostgreSQL's dumps are compressed already."""


def create_backup(file: Path, *, copier: DatabaseCopier, now: datetime) -> Manifest:
    """Write the database and the files it names into an archive.

    Sales go on meanwhile. The database is copied first: a file that it names was stored before, and
    no file is ever changed. The archive gets its name once it is complete.

    Args:
        file: where the archive is written; it must not exist.
        copier: copies the database.
        now: the current time.

    Returns:
        The manifest, which is also in the archive.

    Raises:
        PlaceNotEmpty: the file exists.
        MaintenanceError: the folder does not exist, or the database cannot be copied.

    """
    if file.exists():
        raise PlaceNotEmpty(f"{file} exists; a backup never replaces another one.")
    if not file.parent.is_dir():
        raise MaintenanceError(f"There is no folder {file.parent}: make it first.")
    if not MigrationRecorder(connection).applied_migrations():
        raise MaintenanceError("The database is new: there is nothing to back up.")
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".backup-") as folder:
        partial = Path(folder, "archive")
        manifest = _write_archive(partial, Path(folder, DATABASE_NAME), copier=copier, now=now)
        partial.replace(file)
    return manifest


def restore_backup(file: Path, *, copier: DatabaseCopier) -> Manifest:
    """Restore an archive into an empty database and storages without its files.

    Everything is checked against the manifest before anything is written. Files come first, so a
    restore that is cut off leaves no database that names files that are not there. Started again,
    it keeps the files that are there with the same content. A backup of an earlier version is
    migrated.

    Args:
        file: the archive.
        copier: restores the database.

    Raises:
        BackupInvalid: the archive is damaged, or of another database system or a later version.
        PlaceNotEmpty: the database has tables, or a storage has another file of the same name.
        MaintenanceError: the restored data does not agree with the manifest or with itself.

    """
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".restore-") as folder:
        copy = Path(folder, DATABASE_NAME)
        manifest = _verify_archive(file, copy)
        _check_fits(manifest)
        _restore_files(file, manifest, present=_check_place(manifest, copier))
        copier.restore_from(copy)
    _compare_row_counts(manifest, copier)
    if _list_unapplied_migrations():
        call_command("migrate", verbosity=0)
    problems = inventory.find_inventory_problems()
    if problems:
        raise MaintenanceError(
            f"Restored, but the inventory does not add up ({len(problems)} problems): "
            "run `manage check_inventory`."
        )
    return manifest


def _write_archive(archive: Path, copy: Path, *, copier: DatabaseCopier, now: datetime) -> Manifest:
    with copier.copy_to(copy) as query:
        row_counts = database_copies.count_rows(query, copier.list_tables())
        names = _list_named_files(query, tables=row_counts)
        migrations = _list_applied_migrations(query)
    archive.touch(mode=0o600)
    with tarfile.open(archive, "w:gz", compresslevel=COMPRESSION) as tar:
        with copy.open("rb") as database:
            database_sha256 = _add_member(tar, DATABASE_NAME, database, copy.stat().st_size, now)
        copy.unlink()
        stored, missing = _add_files(tar, names, now=now)
        manifest = Manifest(
            product_version=get_program_version(),
            created_at=now,
            vendor=connection.vendor,
            migrations=migrations,
            row_counts=row_counts,
            database_sha256=database_sha256,
            files=stored,
            missing_files=missing,
        )
        content = manifest.model_dump_json(indent=1).encode()
        _add_member(tar, MANIFEST_NAME, BytesIO(content), len(content), now)
    return manifest


def _list_named_files(query: Query, *, tables: Container[str]) -> list[tuple[str, str]]:
    """Return storage and name of each file that the database names.

    A database that is backed up before it is migrated lacks tables that the models know.
    """
    columns = [column for column in list_file_columns() if column.table in tables]
    return sorted({(column.storage, row[0]) for column in columns for row in query(column.query)})


def _add_files(
    tar: tarfile.TarFile, names: Iterable[tuple[str, str]], *, now: datetime
) -> tuple[list[StoredFile], list[str]]:
    stored, missing = [], []
    for alias, name in names:
        storage = storages[alias]
        path = build_archive_path(alias, name)
        try:
            content = storage.open(name)
        except FileNotFoundError:
            missing.append(path)
            continue
        with content:
            size = content.seek(0, os.SEEK_END)  # the name may be gone: a buyer is erased meanwhile
            content.seek(0)
            sha256 = _add_member(tar, path, content, size, now)
        stored.append(StoredFile(storage=alias, name=name, size=size, sha256=sha256))
    return stored, missing


class _HashingReader:
    """A file whose checksum is computed while it is read."""

    def __init__(self, source: Content) -> None:
        self._source = source
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        part: bytes = self._source.read(size)
        self.sha256.update(part)
        return part


def _add_member(tar: tarfile.TarFile, name: str, content: Content, size: int, now: datetime) -> str:
    """Add a file to the archive and return its checksum in hex."""
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, int(now.timestamp()), 0o600
    reader = _HashingReader(content)
    tar.addfile(info, reader)
    return reader.sha256.hexdigest()


def _verify_archive(file: Path, copy: Path) -> Manifest:
    """Check every checksum, extract the copy of the database, and return the manifest."""
    checksums: dict[str, str] = {}
    manifest = None
    with _open_archive(file) as tar:
        for member, content in _iterate_members(tar, file):
            if member.name in checksums or (member.name == MANIFEST_NAME and manifest):
                raise BackupInvalid(f"{file} is not a backup: it has {member.name} twice.")
            if member.name == MANIFEST_NAME:
                manifest = _read_manifest(content.read(), file)
            elif member.name == DATABASE_NAME:
                with copy.open("wb") as target:
                    checksums[member.name] = _compute_checksum(content, target)
            else:
                checksums[member.name] = _compute_checksum(content)
    if manifest is None:
        raise BackupInvalid(f"{file} is not a complete backup: it has no manifest.")
    wanted = {DATABASE_NAME: manifest.database_sha256}
    wanted |= {stored.path: stored.sha256 for stored in manifest.files}
    damaged = sorted(
        name for name in wanted.keys() | checksums.keys() if wanted.get(name) != checksums.get(name)
    )
    if damaged:
        raise BackupInvalid(f"{file} is damaged: {damaged[0]} is not as it was written.")
    return manifest


def _iterate_members(
    tar: tarfile.TarFile, file: Path
) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    """Yield the files of an archive; links and folders are never in a backup."""
    for member in tar:
        content = tar.extractfile(member) if member.isreg() else None
        if content is None:
            raise BackupInvalid(f"{file} is not a backup: {member.name} is not a file.")
        yield member, content


@contextmanager
def _open_archive(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, "r:gz") as tar:
            yield tar
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno in DISK_FULL:
            raise  # it is the place that is full, not the archive that cannot be read
        raise BackupInvalid(f"{file} cannot be read as a backup: {error}") from error


def _read_manifest(content: bytes, file: Path) -> Manifest:
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        raise BackupInvalid(f"{file} has a manifest that this version cannot read.") from error


def _compute_checksum(content: Content, target: IO[bytes] | None = None) -> str:
    sha256 = hashlib.sha256()
    while part := content.read(CHUNK_SIZE):
        sha256.update(part)
        if target is not None:
            target.write(part)
    return sha256.hexdigest()


def _check_fits(manifest: Manifest) -> None:
    """Check that this installation can take the backup."""
    if manifest.vendor != connection.vendor:
        raise BackupInvalid(
            f"The backup was made from {manifest.vendor}, and DATABASE_URL is {connection.vendor}."
        )
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    unknown = sorted(set(manifest.migrations) - known)
    storages_used = {column.storage for column in list_file_columns()}
    strange = sorted({stored.storage for stored in manifest.files} - storages_used)
    if unknown:
        raise BackupInvalid(
            f"The backup was made by version {manifest.product_version}, which is later than this "
            f"one: it has the migration {unknown[0]}. Install that version first."
        )
    if strange:
        raise BackupInvalid(f"The backup has files for {strange[0]}, which no column names.")


def _check_place(manifest: Manifest, copier: DatabaseCopier) -> set[str]:
    """Check that nothing would be replaced; return the paths of the files that are there."""
    tables = copier.list_tables()
    if tables:
        raise PlaceNotEmpty(
            f"The database has {len(tables)} tables; a backup is restored into an empty one only."
        )
    present = {file.path for file in manifest.files if storages[file.storage].exists(file.name)}
    for stored in manifest.files:
        if stored.path in present and not _has_same_content(stored):
            raise PlaceNotEmpty(
                f"There is another file {stored.path}, or a part of it; a backup replaces none. "
                "Use an empty MEDIA_ROOT."
            )
    return present


def _has_same_content(stored: StoredFile) -> bool:
    with storages[stored.storage].open(stored.name) as content:
        return _compute_checksum(content) == stored.sha256


def _compare_row_counts(manifest: Manifest, copier: DatabaseCopier) -> None:
    tables = sorted(manifest.row_counts.keys() & copier.list_tables())
    found = database_copies.count_rows(database_copies.query_default_database, tables)
    for table, wanted in manifest.row_counts.items():
        if found.get(table) != wanted:
            raise MaintenanceError(
                f"Table {table} has {found.get(table, 'no')} rows, and {wanted} were backed up."
            )


def _restore_files(file: Path, manifest: Manifest, *, present: Collection[str]) -> None:
    missing = {stored.path: stored for stored in manifest.files if stored.path not in present}
    with _open_archive(file) as tar:
        for member, content in _iterate_members(tar, file):
            stored = missing.get(member.name)
            if stored is None:
                continue
            saved = storages[stored.storage].save(stored.name, File(content))
            if saved != stored.name:
                raise MaintenanceError(f"{stored.path} was stored under another name, {saved}.")


def _list_applied_migrations(query: Query) -> list[str]:
    return [
        f"{app}.{name}"
        for app, name in query("SELECT app, name FROM django_migrations ORDER BY app, name")
    ]


def _list_unapplied_migrations() -> list[str]:
    loader = MigrationLoader(connection)
    applied = set(loader.applied_migrations)
    return [f"{app}.{name}" for app, name in loader.graph.nodes if (app, name) not in applied]
