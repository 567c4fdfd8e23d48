"""Tests of the demo, its script and the doctor as real commands."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from deploy import dotenv
from shared.core.config import Settings
from tests.databases import DatabaseFactory
from tests.waiting import wait_until

pytestmark = pytest.mark.xdist_group("demo")

RAFFLEBOT = str(Path(sys.executable).with_name("rafflebot"))


def build_environment(**variables: str) -> dict[str, str]:
    """Return the environment without the bot's variables, plus `variables`."""
    ours = {name.upper() for name in Settings.model_fields} | {"DJANGO_SETTINGS_MODULE"}
    return {name: value for name, value in os.environ.items() if name not in ours} | variables


def run_rafflebot(
    *arguments: str, env: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run the command until it ends, in a folder without a `.env`."""
    return subprocess.run(
        [RAFFLEBOT, *arguments],
        env=dict(env),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass(frozen=True)
class DemoVisit:
    """A demo that was killed after a purchase, and a second one that continued from it.

    Attributes:
        said: output of the first demo.
        variables: environment variables of its processes.
        doctor: the doctor's run while the demo was running.
        intruder: a second demo that was started in the same folder meanwhile.
        alive: the processes before the kill.
        left: the processes that still existed some seconds after it.
        next: the demo that was started afterwards.

    """

    said: str
    variables: Mapping[str, str]
    doctor: subprocess.CompletedProcess[str]
    intruder: subprocess.CompletedProcess[str]
    alive: Sequence[str]
    left: Sequence[str]
    next: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def visit(
    tmp_path_factory: pytest.TempPathFactory, run_folder: Path, django_db_blocker: DjangoDbBlocker
) -> DemoVisit:
    """Run one demo for all tests, because starting its processes is slow.

    Its database is migrated; that of the script begins without a file.
    """
    folder = tmp_path_factory.mktemp("demo")
    (folder / "var").mkdir()
    with django_db_blocker.unblock(), DatabaseFactory("sqlite", run_folder).fresh() as database:
        shutil.copy(database.removeprefix("sqlite:///"), folder / "var" / "demo.sqlite3")
    again = ("demo", "--folder", str(folder / "var"))
    with start_rafflebot(*again, folder=folder) as running:
        try:
            said = type_lines(
                running,
                ("hi", "My tickets"),
                ("3 random", "Confirm"),
                ("/1", "please pay"),
                ("/photo", "tells the buyer"),
            )
            variables = dotenv.read_env_file(folder / "var" / "demo.env")
            env = build_environment(**variables)
            doctor = run_rafflebot("doctor", env=env, folder=folder)
            intruder = run_rafflebot(*again, env=env, folder=folder)
            alive = list_processes(folder)
        finally:
            running.kill()
    left = list_remaining_processes(folder)
    with start_rafflebot(*again, folder=folder) as running:
        try:
            later = type_lines(running, ("menu", "is being checked"))
            later += running.communicate("/quit\n")[0]
        finally:
            running.kill()
    after = subprocess.CompletedProcess(again, running.returncode, later)
    return DemoVisit(said, variables, doctor, intruder, alive, left, after)


def start_rafflebot(*arguments: str, folder: Path) -> "subprocess.Popen[str]":
    """Start the command with pipes for its input and output."""
    return subprocess.Popen(
        [RAFFLEBOT, *arguments],
        env=build_environment(PYTHONUNBUFFERED="1"),
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def type_lines(demo: "subprocess.Popen[str]", *turns: tuple[str, str]) -> str:
    """Type lines into a demo, each after the expected part of the previous answer.

    Returns:
        Everything that was printed meanwhile.

    """
    assert demo.stdin is not None
    assert demo.stdout is not None
    said = ""
    for typed, awaited in turns:
        demo.stdin.write(f"{typed}\n")
        demo.stdin.flush()
        for line in demo.stdout:
            said += line
            if awaited in line:
                break
    return said


def list_remaining_processes(folder: Path) -> list[str]:
    """List the processes that still exist after waiting for them to end."""
    with suppress(AssertionError):
        wait_until(lambda: not list_processes(folder), progress=lambda: list_processes(folder))
    return list_processes(folder)


def list_processes(folder: Path) -> list[str]:
    """List the processes whose environment or command line contains the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if bytes(folder) in environment + command and int(process.name) != os.getpid():
            found.append(command.replace(b"\0", b" ").decode())
    return found


class TestScript:
    def test_plays_two_purchases_and_the_draw_to_the_end_and_leaves_nothing(
        self, tmp_path: Path
    ) -> None:
        played = run_rafflebot(
            "demo", "--script", env=build_environment(TMPDIR=str(tmp_path)), folder=tmp_path
        )

        said = played.stdout
        assert played.returncode == 0, said + played.stderr
        assert "\x1b" not in said, "plain when it is not a terminal"
        for line in (
            r"◀ Summer Raffle · win a motorbike",
            r"\$5\.00 a number · 100 of 100 left",
            r"▶ Random numbers",
            r"▶ 3 please",
            r"Total \$15\.00",
            r"◀ Order R-[0-9A-Z]{5} · please pay \$15\.00 by (\w+ \d+ \w+( \d+)?, )?\d\d:\d\d",
            r"▶ \[picture\]",
            r"◀ Got it\.",
            r"▶ 07, 13 and 45|▶ \d\d, \d\d and \d\d",
            r"Ana got 6 messages",
            r"Ben got 6 messages",
            r"manage check_inventory: .* held or sold exactly once; the money adds up\.",
            r"Entry 4 · [0-9a-f]{4} [0-9a-f]{4}",
            r"◀ The draw of Summer Raffle was moved to",
            r"3 numbers are sealed: SHA-256 [0-9a-f]{16}…",
            r"◀ Congratulations! \d\d has won a motorbike",
            r"▶ Yes, show my name",
            r"◀ \d\d of Summer Raffle: sold, entry 4, in the sealed list of 3 numbers\. It won",
            r"Everything holds\.",
            r"Everything is as it should be\.",
        ):
            assert re.search(line, said), line
        assert len(re.findall(r"◀ Paid\. \d\d · \d\d · \d\d are yours\.", said)) == 3
        assert list(tmp_path.iterdir()) == []
        assert list_processes(tmp_path) == []

    def test_a_failure_is_one_sentence_and_a_code(self, tmp_path: Path) -> None:
        broken = tmp_path / "broken"
        broken.mkdir()
        (broken / "sitecustomize.py").write_text(
            "import os, sys\n"
            "if 'deploy.demo' in sys.orig_argv:\n"
            "    print('the disk is full', file=sys.stderr, flush=True)\n"
            "    os._exit(3)\n"
        )

        env = build_environment(TMPDIR=str(tmp_path), PYTHONPATH=str(broken))
        played = run_rafflebot("demo", "--script", env=env, folder=tmp_path)

        assert played.returncode == 1
        assert "The demo failed: `-m deploy.demo` failed:\nthe disk is full" in played.stdout
        assert "Traceback" not in played.stdout + played.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["broken"]
        assert list_processes(tmp_path) == []


class TestDemo:
    def test_satisfies_the_doctor(self, visit: DemoVisit) -> None:
        examined = visit.doctor

        assert examined.returncode == 0, examined.stdout + examined.stderr
        assert "✗" not in examined.stdout
        assert "✓ App secret and field" in examined.stdout
        assert "Next step: PUBLIC_URL" in examined.stdout
        for name in ("DJANGO_SECRET_KEY", "META_ACCESS_TOKEN", "META_APP_SECRET"):
            assert visit.variables[name] not in examined.stdout

    def test_keeps_a_second_one_out_of_its_folder(self, visit: DemoVisit) -> None:
        assert visit.intruder.returncode == 1
        assert "already runs" in visit.intruder.stdout

    def test_leaves_no_process_behind_when_it_is_killed(self, visit: DemoVisit) -> None:
        assert len(visit.alive) > 3
        assert visit.left == []

    def test_goes_on_where_the_one_before_ended_though_that_was_killed(
        self, visit: DemoVisit
    ) -> None:
        said = visit.next.stdout
        assert visit.next.returncode == 0, visit.said + said

        code = re.search(r"Order (R-\w{5})", visit.said)
        assert code is not None
        assert f"Your order {code[1]} is being checked" in said
        login = re.compile(r"Login .*")
        assert login.findall(visit.said) == login.findall(said) != []
        token = re.compile(r"TOKEN=rtb_[\w-]{40}")
        assert set(token.findall(visit.said)) == set(token.findall(said)) != set()

    def test_says_what_the_seller_does_next_and_where(self, visit: DemoVisit) -> None:
        code = re.search(r"Order (R-\w{5})", visit.said)
        assert code is not None
        url = visit.variables["PUBLIC_URL"]
        assert f"Browser: {url}/admin/queue/" in visit.said
        assert f'curl -X POST "$PUBLIC_URL/api/orders/{code[1]}/confirm-payment" \\\n' in visit.said

    def test_prints_commands_that_can_be_pasted(self, visit: DemoVisit) -> None:
        commands = [line for line in visit.said.splitlines() if line.startswith(("export", "curl"))]

        pasted = subprocess.run(
            ["/bin/sh", "-c", "\n".join(commands).replace("curl", "echo", 1)],
            capture_output=True,
            text=True,
            check=True,
        )

        assert pasted.stdout.startswith("-H Authorization: Bearer rtb_")
        assert f"{visit.variables['PUBLIC_URL']}/api/orders" in pasted.stdout

    @pytest.mark.parametrize("folder", ["a file", "a file/below", "what?"])
    def test_names_a_folder_that_cannot_hold_it_in_one_sentence(
        self, tmp_path: Path, folder: str
    ) -> None:
        (tmp_path / "a file").write_text("")

        refused = run_rafflebot(
            "demo", "--folder", str(tmp_path / folder), env=build_environment(), folder=tmp_path
        )

        assert refused.returncode == 2
        assert len(refused.stdout.splitlines()) == 1
        assert "--folder" in refused.stdout
        assert refused.stderr == ""
        assert [path.name for path in tmp_path.iterdir()] == ["a file"]


class TestDoctor:
    def test_names_everything_that_is_missing_or_malformed_at_once(self, tmp_path: Path) -> None:
        env = build_environment(
            DATABASE_URL="mysql://raffle", META_GRAPH_VERSION="26", PUBLIC_URL="raffles"
        )

        examined = run_rafflebot("doctor", env=env, folder=tmp_path)

        assert examined.returncode == 1
        for name in (
            "DATABASE_URL",
            "DJANGO_SECRET_KEY",
            "META_ACCESS_TOKEN",
            "META_APP_SECRET",
            "META_GRAPH_VERSION",
            "META_PHONE_NUMBER_ID",
            "META_VERIFY_TOKEN",
            "PUBLIC_URL",
        ):
            assert re.search(rf"^✗ {name} ", examined.stdout, re.MULTILINE), name
        assert "Next step: " in examined.stdout
        assert "Traceback" not in examined.stdout + examined.stderr

    def test_a_database_out_of_reach_is_named_without_its_password(self, tmp_path: Path) -> None:
        env = build_environment(
            DATABASE_URL="postgres://raffle:hunter2@127.0.0.1:1/raffle",
            DJANGO_SECRET_KEY="k" * 50,
            META_GRAPH_URL="http://127.0.0.1:1",
        )

        examined = run_rafflebot("doctor", env=env, folder=tmp_path)

        assert examined.returncode == 1
        assert "✗ Database" in examined.stdout
        assert "✗ Graph API" in examined.stdout
        assert "hunter2" not in examined.stdout + examined.stderr
        assert "k" * 50 not in examined.stdout + examined.stderr

    def test_fresh_secrets_are_a_start(self, tmp_path: Path) -> None:
        made = run_rafflebot("secrets", env=build_environment(), folder=tmp_path)
        (tmp_path / ".env").write_text(made.stdout)

        examined = run_rafflebot("doctor", "--json", env=build_environment(), folder=tmp_path)

        assert '"title": "DJANGO_SECRET_KEY"' not in examined.stdout
        assert '"title": "META_VERIFY_TOKEN"' not in examined.stdout
        assert '"title": "META_ACCESS_TOKEN"' in examined.stdout
