"""The repository that docs/operations.md clones, made from the files of this checkout."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from shared.core.config import PROJECT_ROOT

ADDRESS_IN_PAGE: Final = "https://git.example/raffle-tickets-bot.git"
_AUTHOR: Final = ("-c", "user.name=operator", "-c", "user.email=operator@example.com")

_MIGRATION: Final = '''"""Change nothing."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("events", "{last}")]
    operations = []
'''


def create_repository(folder: Path, *, home: Path) -> None:
    """Create a repository with the tracked files as they are now.

    Args:
        folder: where the repository will be.
        home: folder of the user who clones it at `ADDRESS_IN_PAGE`.

    """
    folder.mkdir()
    listed = _run_git("ls-files", "-z", folder=PROJECT_ROOT)
    for name in filter(None, listed.split("\0")):
        if (PROJECT_ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT_ROOT / name, folder / name)
    _run_git("init", "--quiet", "--initial-branch=main", folder=folder)
    _borrow_objects(folder)
    commit_everything(folder, "the code")
    instead = f'[url "file://{folder}"]\n\tinsteadOf = {ADDRESS_IN_PAGE}\n'
    (home / ".gitconfig").write_text(instead)


def _borrow_objects(folder: Path) -> None:
    """Let a repository find the contents of this checkout, so that they are not packed again."""
    objects = _run_git(
        "rev-parse", "--path-format=absolute", "--git-path", "objects", folder=PROJECT_ROOT
    )
    (folder / ".git/objects/info/alternates").write_text(objects)


def commit_everything(folder: Path, subject: str) -> None:
    """Commit every file of the repository."""
    _run_git("add", "--all", folder=folder)
    _run_git(*_AUTHOR, "commit", "--quiet", "--allow-empty", f"--message={subject}", folder=folder)


def release_next_version(folder: Path, *, version: str) -> None:
    """Commit and tag a next version, which has a migration more.

    Args:
        folder: the repository.
        version: the version, e.g. 9.9.9.

    """
    for name in ("pyproject.toml", "uv.lock"):
        file = folder / name
        pattern = r'(name = "raffle-tickets-bot"\nversion = )"[^"]+"'
        changed, count = re.subn(pattern, rf'\1"{version}"', file.read_text())
        assert count == 1, name
        file.write_text(changed)
    migrations = folder / "shared" / "events" / "migrations"
    last = max(migrations.glob("0*.py"))
    (migrations / "9999_next.py").write_text(_MIGRATION.format(last=last.stem))
    commit_everything(folder, f"version {version}")
    _run_git("tag", f"v{version}", folder=folder)


def _run_git(*arguments: str, folder: Path) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout
