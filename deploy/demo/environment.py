"""The environment of a demo: its folder, ports, secrets and environment variables."""

import fcntl
import os
import re
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import backoffice
from deploy import dotenv
from deploy.child_processes import LOOPBACK_HOST, find_free_ports
from shared.core.secret_files import SECRET_FIELDS, name_file_variable

PHONE_NUMBER_ID: Final = "106540352242922"
WABA_ID: Final = "102290129340398"
BRAND_LOGO: Final = Path(backoffice.__file__).parent / "static/backoffice/ticket.png"
SELLER_USERNAME: Final = "seller"
READABLE_CHARACTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"


UNFIT_PATH_CHARACTERS: Final = re.compile(r"[?#%\x00-\x1f]")
"""Characters with a meaning of their own in DATABASE_URL."""


class DemoAlreadyRunning(Exception):
    """Another demo runs in this folder; stop it first, or use its phone."""


class DemoFolderUnusable(Exception):
    """The folder cannot hold the demo's data; the message says why."""


@dataclass(frozen=True)
class DemoPorts:
    """Ports of the three processes of a demo."""

    meta: int
    gateway: int
    backoffice: int


def find_demo_ports(meta: int, gateway: int, backoffice: int) -> DemoPorts:
    """Return free ports: these, or any for each that is taken or 0."""
    found = find_free_ports(meta, gateway, backoffice)
    return DemoPorts(meta=found[0], gateway=found[1], backoffice=found[2])


@dataclass(frozen=True)
class SeededDemo:
    """The raffle and the API token in a demo's database."""

    raffle_id: int
    raffle: str
    token: str


@dataclass(frozen=True)
class DemoFolder:
    """A demo's folder; the next demo continues with its files."""

    folder: Path

    @property
    def logs_folder(self) -> Path:
        """The folder with one log file per process."""
        return self.folder / "logs"

    @property
    def env_file(self) -> Path:
        """The file with the variables of the last run, for `uv run --env-file`."""
        return self.folder / "demo.env"

    @property
    def login_file(self) -> Path:
        """The file with the seller's login and API token."""
        return self.folder / "demo-login.env"

    def check_usable(self) -> None:
        """Create the folder and write into it.

        Raises:
            DemoFolderUnusable: that is not possible.

        """
        if unfit := UNFIT_PATH_CHARACTERS.search(str(self.folder)):
            raise DemoFolderUnusable(
                f"{self.folder} cannot be the path of a database because of {unfit[0]!r}. "
                "Choose another folder with --folder."
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
            for file in (self.env_file, self.login_file):
                dotenv.read_env_file(file)
        except FileExistsError:
            raise DemoFolderUnusable(
                f"{self.folder} is not a folder. Choose another one with --folder."
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "a file in it is not text"
            raise DemoFolderUnusable(
                f"{self.folder} cannot hold the demo's data: {why}. "
                "Choose a folder that can be written to, with --folder."
            ) from None

    def load_password(self) -> str:
        """Return the seller's password; generate and save it at the first demo."""
        kept = dotenv.read_env_file(self.login_file)
        if "PASSWORD" not in kept:
            kept = {**kept, "USERNAME": SELLER_USERNAME, "PASSWORD": _generate_password()}
            dotenv.write_env_file(self.login_file, kept)
        return kept["PASSWORD"]

    def load_token(self) -> str:
        """Return the API token of an earlier demo, if any; the database has only its hash."""
        return dotenv.read_env_file(self.login_file).get("TOKEN", "")

    def save_token(self, text: str) -> None:
        """Save the API token for later demos."""
        dotenv.write_env_file(
            self.login_file, {**dotenv.read_env_file(self.login_file), "TOKEN": text}
        )

    def prepare_environment(self, ports: DemoPorts) -> dict[str, str]:
        """Create the folder and save and return all variables of a demo that listens on `ports`.

        Every variable is set and not empty, so that no value of a real `.env`, least of all a
        token, reaches the demo.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        variables = {
            **_keep_or_generate_secrets(dotenv.read_env_file(self.env_file)),
            **self._build_variables(ports),
        }
        dotenv.write_env_file(self.env_file, variables)
        return variables

    def _build_variables(self, ports: DemoPorts) -> dict[str, str]:
        return {
            "DATABASE_URL": f"sqlite:///{self.folder / 'demo.sqlite3'}",
            "DJANGO_SECRET_KEY_FALLBACKS": ",",  # a list of none
            "DATABASE_PASSWORD": "demo",  # SQLite has none
            "DJANGO_DEBUG": "false",
            "PUBLIC_URL": f"http://{LOOPBACK_HOST}:{ports.backoffice}",
            "META_PHONE_NUMBER_ID": PHONE_NUMBER_ID,
            "META_WABA_ID": WABA_ID,
            "META_GRAPH_URL": f"http://{LOOPBACK_HOST}:{ports.meta}",
            "META_GRAPH_VERSION": "v26.0",
            "MEDIA_ROOT": str(self.folder / "demo-media"),
            "BRAND_NAME": "Raffle Tickets",
            "BRAND_LOGO": str(BRAND_LOGO),
            "BRAND_COLOUR": "#0f766e",
            "TIME_ZONE": "UTC",
            "TRUSTED_PROXIES": "0",
            "DRAIN_SECONDS": "0",  # nothing stands in front of its gateway
            "SENDS_PER_SECOND": "80",
            "API_REQUESTS_PER_MINUTE": "600",
            "MAX_ORDERS_UNDER_REVIEW": "5",
            "PERSON_PAUSE_HOURS": "12",
            "LEGAL_DETAILS_REQUIRED": "false",
            "RETENTION_DAYS": "3650",
            "DRAW_RECORD_YEARS": "4",
            "EVENTS_ALLOW_PRIVATE": "true",  # n8n runs on this machine
            "EMAIL_HOST": "none",  # and nobody gets an e-mail of a demo
            "EMAIL_PORT": "587",
            "EMAIL_HOST_USER": "demo",
            "EMAIL_HOST_PASSWORD": "demo",
            "EMAIL_USE_TLS": "true",
            "EMAIL_USE_SSL": "false",
            "DEFAULT_FROM_EMAIL": "demo@example.com",
            "STAFF_MAIL_PROOF_MINUTES": "15",
            "STAFF_MAIL_REPEAT_HOURS": "4",
            "WEBHOOK_SILENCE_HOURS": "24",
            "LOG_FORMAT": "console",
            "LOG_LEVEL": "INFO",
        }

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the folder: two gateways would answer the same buyers.

        Raises:
            DemoAlreadyRunning: another demo holds the lock.

        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "demo.lock").open("w") as lock_file:
            try:
                fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DemoAlreadyRunning(
                    f"A demo already runs in {self.folder}: stop it first."
                ) from None
            yield


def _keep_or_generate_secrets(kept: Mapping[str, str]) -> dict[str, str]:
    fresh = {
        **dotenv.generate_secrets(),
        "META_APP_SECRET": secrets.token_hex(16),
        "META_ACCESS_TOKEN": secrets.token_urlsafe(32),
    }
    return {name: kept.get(name, value) for name, value in fresh.items()}


def _generate_password() -> str:
    """Generate a password that is easy to copy by hand: three groups without similar characters."""
    return "-".join(
        "".join(secrets.choice(READABLE_CHARACTERS) for _ in range(4)) for _ in range(3)
    )


def build_child_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the complete environment of a child process: this process's, then the demo's."""
    files = {name_file_variable(name) for name in SECRET_FIELDS}
    inherited = {
        name: value
        for name, value in os.environ.items()
        if "DJANGO_" not in name and name not in files
    }
    return {**inherited, **variables, "DJANGO_SETTINGS_MODULE": "backoffice.settings"}
