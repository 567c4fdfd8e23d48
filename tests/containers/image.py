"""What the image holds and runs, without a container engine.

The commands of the Dockerfile's first stage install the product, and the commands of compose.yaml
run it: as another user, with nothing but the variables of both files, from a folder that only root
may write to. Paths and addresses of a container are replaced by those of the test.
"""

import os
import pwd
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from shared.core.config import Settings
from tests.bytecode import copy_bytecode, copy_product_bytecode, link_or_copy
from tests.conftest import skip_or_fail
from tests.containers import files
from tests.waiting import PATIENCE

OTHER_USER: Final = "nobody"


@dataclass
class InstalledImage:
    """The installed product and the folders that a container has.

    Attributes:
        root: folder of everything; others may enter it.
        env_file: the variables of `.env`.
        replacements: text of compose.yaml and the Dockerfile, and what the test puts there.

    """

    root: Path
    env_file: dict[str, str] = field(default_factory=dict)
    replacements: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.log = self.root / "said.log"
        self.user = OTHER_USER if os.geteuid() == 0 else None
        for name in ("opt", "data", "secrets", "backups"):
            (self.root / name).mkdir()
        for name in ("data", "backups"):
            self._give_to_user(self.root / name)
        self.replacements |= {
            "/opt/rafflebot": str(self.root / "opt/rafflebot"),
            "/run/secrets": str(self.root / "secrets"),
            "/data": str(self.root / "data"),
            "0.0.0.0": "127.0.0.1",
        }

    def install(self) -> None:
        """Run the build commands of the Dockerfile on what its build context holds."""
        source = self.root / "src"
        source.mkdir()
        leave_out = shutil.ignore_patterns("staticfiles", "__pycache__")
        for path in files.list_build_context():
            if path.is_dir():
                shutil.copytree(path, source / path.name, ignore=leave_out)
            else:
                shutil.copy(path, source)
        python = self._provide_python()
        variables = files.read_stage_environment(0) | {
            "UV_COMPILE_BYTECODE": "0",  # ten seconds; what this checkout has is copied
            "UV_LINK_MODE": "hardlink",
            "UV_PYTHON": str(python),
        }
        programs = f"{python.parent}:{_find_uv().parent}:{os.environ['PATH']}"
        for command in files.read_build_commands():
            built = subprocess.run(
                ["/bin/sh", "-euc", self.replace(command)],
                cwd=source,
                env={**_get_machine_variables(), "PATH": programs}
                | {name: self.replace(value) for name, value in variables.items()},
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            assert built.returncode == 0, f"{command}\n{built.stdout}{built.stderr}"
            self._add_bytecode()  # the next command may be Python's
        shutil.rmtree(source)  # it runs from the package, not from here
        for folder, _, _ in (self.root / "opt").walk():
            folder.chmod(0o555)

    def replace(self, text: str) -> str:
        """Return a text of the files with the places and addresses of the test."""
        olds = sorted(self.replacements, key=len, reverse=True)
        pattern = rf"(?:{'|'.join(map(re.escape, olds))})(?!\w)"
        return re.sub(pattern, lambda found: self.replacements[found[0]], text)

    def run(self, service: str, *command: str) -> int:
        """Run a command in a container of a service, and return its exit code.

        Args:
            service: name of the service in compose.yaml.
            command: the command, instead of that of the service.

        """
        return self.start(service, *command).wait(timeout=PATIENCE)

    def start(self, service: str, *command: str) -> "subprocess.Popen[bytes]":
        """Start a command like `run`; it is in the folder `/` and writes to the log."""
        words = command or files.read_compose()["services"][service]["command"]
        environment = self._build_environment(service)
        program, *arguments = map(self.replace, words)
        with self.log.open("ab") as out:
            return subprocess.Popen(
                [str(shutil.which(program, path=environment["PATH"])), *arguments],
                cwd="/",
                env=environment,
                user=self.user,
                group=None if self.user is None else pwd.getpwnam(self.user).pw_gid,
                extra_groups=None if self.user is None else [],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def read_log(self) -> str:
        """Return what all commands have printed so far."""
        return self.log.read_text()

    def _build_environment(self, service: str) -> dict[str, str]:
        """Return the complete environment of a service's container."""
        container = files.read_compose()["services"][service]["environment"]
        variables = {**files.read_stage_environment(-1), **self.env_file, **container}
        environment = {name: self.replace(value) for name, value in variables.items()}
        environment["PATH"] = environment["PATH"].replace("$PATH", os.environ["PATH"])
        if (self.root / "python").exists():
            environment["LD_LIBRARY_PATH"] = str(self.root / "python/lib")
        return environment

    def _add_bytecode(self) -> None:
        """Copy the bytecode of the product and its dependencies, as far as they are installed."""
        environment = self.root / "opt/rafflebot"
        copy_bytecode(environment)
        for packages in environment.glob("lib/python*/site-packages"):
            copy_product_bytecode(packages)

    def _provide_python(self) -> Path:
        """Return a Python that the other user can start; root's own may lie in a closed folder."""
        python = Path(sys.executable).resolve()
        if self.user is None or all(part.stat().st_mode & 0o001 for part in python.parents):
            return python
        home, version = Path(sys.base_prefix), sysconfig.get_python_version()
        copy = self.root / "python"
        leave_out = shutil.ignore_patterns("test", "site-packages", "share", "include")
        shutil.copytree(home, copy, symlinks=True, ignore=leave_out, copy_function=link_or_copy)
        return copy / "bin" / f"python{version}"

    def _give_to_user(self, folder: Path) -> None:
        if self.user is not None:
            shutil.chown(folder, self.user)


def _get_machine_variables() -> dict[str, str]:
    """Return the environment without what tests and uv put there for this checkout."""
    ours = {name.upper() for name in Settings.model_fields} | {"VIRTUAL_ENV", "UV_FROZEN"}
    return {
        name: value
        for name, value in os.environ.items()
        if name not in ours and "DJANGO" not in name
    }


def _find_uv() -> Path:
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        skip_or_fail("uv is not on the path")
    return Path(str(uv))
