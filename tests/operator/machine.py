"""A pretended machine: folders of its own under /srv and /etc, a root and a user `raffle`.

The Linux kernel gives an ordinary process such a view (namespaces(7)): nothing that is written to
/srv or /etc there reaches the machine of the developer. What only a whole machine has, such as
systemd and Docker, is played by the programs in the folder `stubs`.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pexpect

from tests.conftest import skip_or_fail
from tests.waiting import PATIENCE

STUBS: Final = Path(__file__).parent / "stubs"
HOME: Final = "/srv/raffle"

_PROMPT: Final = "(operator) "
_PASSWORD_PROMPT: Final = r"Password( \(again\))?: "
_ENTER: Final = """
set -e
cp -r /etc "$1/etc" 2>/dev/null || true
mkdir -p "$1/etc/systemd/system" "$1/etc/caddy" "$1/srv"
mount --bind "$1/etc" /etc
mount --bind "$1/srv" /srv
echo entered
exec sleep infinity
"""


@dataclass(frozen=True)
class Machine:
    """A pretended machine.

    Attributes:
        folder: folder that holds its files.
        keeper: process that keeps its namespaces.

    """

    folder: Path
    keeper: subprocess.Popen[str]

    @property
    def home(self) -> Path:
        """Folder of the user `raffle`, as the test sees it."""
        return self.folder / HOME.removeprefix("/")

    @contextmanager
    def open_shell(self, user: str, *, password: str = "", **variables: str) -> Iterator["Shell"]:
        """Open a terminal in which `root` or `raffle` types.

        Args:
            user: who.
            password: what is typed when a program asks for one.
            variables: environment variables that the machine has beforehand.

        """
        become = ["--map-root-user"] if user == "root" else ["--map-user=1000", "--map-group=1000"]
        arguments = [f"--target={self.keeper.pid}", "--user", "--mount", "--preserve-credentials"]
        arguments += ["unshare", "--user", *become, "bash", "--norc", "--noprofile"]
        environment = {**_build_environment(self.folder, user=user), **variables}
        terminal = pexpect.spawn(
            "nsenter", arguments, env=environment, encoding="utf-8", timeout=PATIENCE, echo=False
        )
        shell = Shell(terminal, password)
        shell.start()
        try:
            yield shell
        finally:
            terminal.close(force=True)

    def stop_services(self) -> None:
        """Stop what the stub of systemctl has started and not stopped."""
        for file in self.folder.glob("run/*.pid"):
            try:
                os.kill(int(file.read_text()), signal.SIGKILL)
            except ProcessLookupError:
                continue


class CommandFailed(AssertionError):
    """A command of the page did not do what the page says."""


@dataclass(frozen=True)
class Shell:
    """A terminal with bash."""

    terminal: "pexpect.spawn[str]"
    password: str

    def start(self) -> None:
        """Wait until bash asks for the first command."""
        self.terminal.sendline(f"PS2=; PS1='[$?] {_PROMPT}'; bind 'set enable-bracketed-paste off'")
        self._wait_for_prompt()

    def type(self, text: str, *, codes: Mapping[str, int] = MappingProxyType({})) -> str:
        """Type the commands of a block one by one and return what they printed.

        Args:
            text: the commands.
            codes: exit codes by command, if not 0.

        Raises:
            CommandFailed: a command ended with another code.

        """
        printed = ""
        for command in split_commands(text):
            self.terminal.sendline(command)
            code, output = self._wait_for_prompt()
            printed += output
            if code != codes.get(command, 0):
                raise CommandFailed(f"{command}\nended with {code}:\n{output}")
        return printed

    def start_in_foreground(self, command: str, *, until: str) -> None:
        """Type a command that goes on, and wait until it has printed `until`."""
        self.terminal.sendline(command)
        self.terminal.expect(until)

    def interrupt(self) -> str:
        """Press Ctrl-C and return what the command printed until it ended."""
        self.terminal.sendintr()
        return self._wait_for_prompt()[1]

    def _wait_for_prompt(self) -> tuple[int, str]:
        printed = ""
        while self.terminal.expect([rf"\[(\d+)\] {re.escape(_PROMPT)}", _PASSWORD_PROMPT]) == 1:
            printed += self.terminal.before or ""
            self.terminal.sendline(self.password)
        printed += self.terminal.before or ""
        assert isinstance(self.terminal.match, re.Match)
        return int(self.terminal.match[1]), printed


def split_commands(text: str) -> list[str]:
    """Return the commands of a block; one goes on until bash finds it complete."""
    commands: list[str] = []
    pending = ""
    for line in text.splitlines():
        pending += f"{line}\n"
        if line.endswith("\\") or not _is_complete(pending):
            continue
        commands.append(pending.rstrip("\n"))
        pending = ""
    assert not pending, f"not complete: {pending}"
    return commands


def _is_complete(command: str) -> bool:
    read = subprocess.run(
        ["bash", "-n"], input=command, text=True, capture_output=True, check=False
    )
    return read.returncode == 0


@contextmanager
def run_machine(folder: Path) -> Iterator[Machine]:
    """Start a pretended machine in an empty folder, and end what runs on it afterwards."""
    (folder / "run").mkdir()
    enter = ["--user", "--map-root-user", "--mount", "bash", "-c", _ENTER, "bash", str(folder)]
    unshare = shutil.which("unshare")
    if unshare is None or not Path("/srv").is_dir():
        skip_or_fail("unshare(1) and a folder /srv are needed")
    with subprocess.Popen([str(unshare), *enter], stdout=subprocess.PIPE, text=True) as keeper:
        try:
            assert keeper.stdout is not None
            if keeper.stdout.readline() != "entered\n":
                skip_or_fail("this kernel gives an ordinary process no namespaces")
            machine = Machine(folder, keeper)
            yield machine
            machine.stop_services()
        finally:
            keeper.kill()


def _build_environment(folder: Path, *, user: str) -> Mapping[str, str]:
    """Return what a new login has: no variable of the bot and none of the tests."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("UV_") or name.lower().endswith("_proxy") or name == "SSL_CERT_FILE"
    }
    uv = shutil.which("uv")
    if uv is None:
        skip_or_fail("uv is not installed")
    programs = [str(STUBS), str(Path(str(uv)).parent), "/usr/local/bin", "/usr/bin", "/bin"]
    programs += ["/usr/sbin", "/sbin"]
    cache = subprocess.run([str(uv), "cache", "dir"], capture_output=True, text=True, check=True)
    return kept | {
        "HOME": HOME,
        "USER": user,
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "PATH": ":".join(programs),
        "UV_CACHE_DIR": cache.stdout.strip(),  # downloads of this machine
        "UV_PYTHON": str(Path(sys.base_prefix) / "bin" / "python3.12"),
        "OPERATOR_FOLDER": str(folder),
    }
