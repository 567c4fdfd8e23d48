"""The configuration: typed settings from environment variables, validated together."""

from datetime import timedelta
from email.utils import parseaddr
from functools import cache
from pathlib import Path
from typing import Final, Literal, Self
from urllib.parse import quote, urlsplit
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsConfigDict

from shared.core.config_errors import ConfigurationError
from shared.core.constants import DEFAULT_RECORD_YEARS
from shared.core.secret_files import SettingsWithSecretFiles


def _find_project_root() -> Path:
    code_folder = Path(__file__).resolve().parents[2]
    return code_folder if (code_folder / "pyproject.toml").is_file() else Path.cwd()


PROJECT_ROOT: Final = _find_project_root()
"""The folder that relative paths begin at: the checkout, or the working folder of a process that
runs from an installed package."""

LOGO_MEDIA_TYPES: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
"""Media types of a logo by the extension of its file."""


ENV_FILE: Final = ".env"
"""The file with variables in the working folder; also what a problem of the whole file is about."""

MISSING_VARIABLE: Final = "is required and missing"
"""The problem of a required variable without a value."""


class Settings(SettingsWithSecretFiles):
    """The settings of both processes, one attribute for each environment variable.

    The name of a variable is that of its attribute in upper case. The description is its line in
    `.env.example`.
    """

    model_config = SettingsConfigDict(
        env_file=ENV_FILE, env_ignore_empty=True, extra="ignore", frozen=True
    )

    database_url: str = Field(
        default="sqlite:///var/raffle.sqlite3",
        repr=False,
        description="sqlite:///path (relative to the project's root) or postgres://user:password@host/name",
    )
    database_password: SecretStr = Field(
        default=SecretStr(""),
        description="Password of a PostgreSQL database, if DATABASE_URL has none",
    )
    django_secret_key: SecretStr = Field(
        min_length=32, description="Signs sessions; 50 random characters, the same in every process"
    )
    django_secret_key_fallbacks: str = Field(
        default="",
        repr=False,
        description="Former secret keys, comma-separated: what they signed stays valid",
    )
    django_debug: bool = Field(
        default=False, description="Django's debug pages; never in production"
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="Where people and n8n reach the back office; hosts and secure cookies follow",
    )
    meta_app_secret: str = Field(
        default="",
        repr=False,
        description="Signs webhooks; comma-separated while rotating. The gateway needs it",
    )
    meta_verify_token: SecretStr = Field(
        default=SecretStr(""),
        description="The word Meta must say when it verifies the webhook. The gateway needs it",
    )
    meta_access_token: SecretStr = Field(
        default=SecretStr(""),
        description="System user's token that sends messages. The gateway needs it",
    )
    meta_phone_number_id: str = Field(
        default="",
        description="Id of the business number; comma-separated for several. The gateway needs it",
    )
    meta_waba_id: str = Field(
        default="",
        description="Id of the WhatsApp Business Account; `rafflebot doctor` asks with it",
    )
    meta_graph_url: str = Field(
        default="https://graph.facebook.com",
        description="Base address of the Graph API; only its hosts may get the token",
    )
    meta_graph_version: str = Field(
        default="v26.0", pattern=r"^v\d+\.\d+$", description="Version of the Graph API"
    )
    media_root: Path = Field(
        default=Path("var/media"), description="Folder of payment proofs and raffle pictures"
    )
    brand_name: str = Field(
        default="Raffle Tickets",
        max_length=40,
        description="What the back office calls itself, e.g. the seller's name",
    )
    brand_logo: Path | None = Field(
        default=None, description="Picture file (PNG, JPEG, SVG, WebP) for the back office's menu"
    )
    brand_colour: str = Field(
        default="#0f766e",
        pattern=r"^#[0-9a-fA-F]{6}$",
        description="Main colour of the back office, e.g. #0f766e",
    )
    trusted_proxies: int = Field(
        default=0,
        ge=0,
        le=5,
        description="How many proxies append to X-Forwarded-For; 0: it is not believed",
    )
    time_zone: str = Field(
        default="UTC",
        description="Zone of times that belong to no raffle, e.g. America/Bogota",
    )
    drain_seconds: float = Field(
        default=5,
        ge=0,
        le=60,
        description="Seconds a gateway is not ready but works on, after SIGTERM, before it stops",
    )
    sends_per_second: float = Field(
        default=80,
        gt=0,
        le=1000,
        description="Messages a second and business number this gateway may send",
    )
    api_requests_per_minute: int = Field(
        default=600,
        ge=0,
        le=100_000,
        description="Requests a minute each API token and person may make; 0: no limit",
    )
    max_orders_under_review: int = Field(
        default=5,
        ge=1,
        le=1000,
        description="Orders of a buyer under review at once; one more receipt waits in a list",
    )
    person_pause_hours: int = Field(
        default=12,
        ge=1,
        le=30 * 24,
        description="Hours the bot is silent to a buyer's words after they asked for a person or "
        "one wrote to them",
    )
    legal_details_required: bool = Field(
        default=False,
        description="Whether a raffle opens only with promoter, permit number and rules address",
    )
    retention_days: int | None = Field(
        default=None,
        ge=7,
        le=3650,
        description="Days from a raffle's end until `manage retention` erases its proofs and "
        "buyers, 7 to 3650; none: kept for ever",
    )
    draw_record_years: int = Field(
        default=DEFAULT_RECORD_YEARS,
        ge=1,
        le=30,
        description="Years after a draw for which its record names the winners; then `manage "
        "retention` erases their names and phone numbers",
    )
    events_allow_private: bool = Field(
        default=False,
        description="Whether events may be sent into a private network, e.g. to n8n beside it",
    )
    email_host: str = Field(
        default="",
        description="Mail server for e-mails to staff; the word none: no e-mail is sent",
    )
    email_port: int = Field(default=587, ge=1, le=65_535, description="Port of the mail server")
    email_host_user: str = Field(default="", description="User name at the mail server")
    email_host_password: SecretStr = Field(
        default=SecretStr(""), description="Password at the mail server"
    )
    email_use_tls: bool = Field(
        default=True,
        description="Whether STARTTLS is used, as on port 587; false for a local relay",
    )
    email_use_ssl: bool = Field(
        default=False, description="Whether TLS is used from the beginning, as on port 465"
    )
    default_from_email: str = Field(
        default="",
        validate_default=True,
        description="Sender of e-mails, e.g. Raffles <raffles@example.com>; needed with EMAIL_HOST",
    )
    staff_mail_proof_minutes: int = Field(
        default=15,
        ge=1,
        le=7 * 24 * 60,
        description="Minutes a payment proof waits before staff are told by e-mail",
    )
    staff_mail_repeat_hours: int = Field(
        default=4,
        ge=1,
        le=7 * 24,
        description="Hours after which staff are told again of proofs that still wait",
    )
    webhook_silence_hours: int = Field(
        default=24,
        ge=0,
        le=30 * 24,
        description="Hours without a webhook during a sale until an alarm is raised; 0: never",
    )
    log_format: Literal["console", "json"] = Field(
        default="console", description="console for people, json for machines"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The least urgent event that is logged"
    )

    @field_validator("database_url")
    @classmethod
    def _validate_database_url(cls, value: str) -> str:
        scheme = urlsplit(value).scheme
        if scheme not in {"sqlite", "postgres", "postgresql"}:
            raise ValueError("must begin with sqlite:/// or postgres://")
        return value

    @field_validator("database_password")
    @classmethod
    def _validate_database_password(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if value.get_secret_value() and urlsplit(info.data.get("database_url", "")).password:
            raise ValueError("is given twice: take it or the password in DATABASE_URL out")
        return value

    @field_validator("public_url", "meta_graph_url")
    @classmethod
    def _validate_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be an address such as https://raffles.example")
        return value.rstrip("/")

    @field_validator("email_host")
    @classmethod
    def _parse_email_host(cls, value: str) -> str:
        return "" if value == "none" else value

    @field_validator("default_from_email")
    @classmethod
    def _validate_sender(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("email_host"):
            raise ValueError("is required with EMAIL_HOST")
        if value and ("@" not in parseaddr(value)[1] or "\n" in value):
            raise ValueError("must be an address such as raffles@example.com")
        return value

    @field_validator("brand_name")
    @classmethod
    def _validate_brand_name(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("must not be blank")
        return value.strip()

    @field_validator("brand_logo")
    @classmethod
    def _validate_brand_logo(cls, value: Path | None) -> Path | None:
        if value is not None and value.suffix.lower() not in LOGO_MEDIA_TYPES:
            raise ValueError("must end with " + ", ".join(LOGO_MEDIA_TYPES))
        if value is not None and not (PROJECT_ROOT / value).is_file():
            raise ValueError(f"there is no file {PROJECT_ROOT / value}")
        return value

    @field_validator("time_zone")
    @classmethod
    def _validate_time_zone(cls, value: str) -> str:
        if value != "UTC" and value not in available_timezones():  # which reads 600 files
            raise ValueError("must be a zone such as America/Bogota")
        return value

    @property
    def app_secrets(self) -> tuple[str, ...]:
        """The app secrets that may have signed a webhook; while rotating, the old and the new."""
        return _split_list(self.meta_app_secret)

    @property
    def secret_key_fallbacks(self) -> tuple[str, ...]:
        """The former secret keys, whose sessions and links are still accepted."""
        return _split_list(self.django_secret_key_fallbacks)

    @property
    def phone_number_ids(self) -> tuple[str, ...]:
        """The ids of the business numbers that this installation sends from."""
        return _split_list(self.meta_phone_number_id)

    @property
    def resolved_database_url(self) -> str:
        """`database_url` with an absolute path of SQLite or with the password of PostgreSQL."""
        prefix = "sqlite:///"
        if self.database_url.startswith(prefix):
            if ":memory:" in self.database_url:
                return self.database_url
            return prefix + str(PROJECT_ROOT / self.database_url.removeprefix(prefix))
        password = quote(self.database_password.get_secret_value(), safe="")
        parts = urlsplit(self.database_url)
        user, _, host = parts.netloc.rpartition("@")
        if not password:
            return self.database_url
        return parts._replace(netloc=f"{user}:{password}@{host}").geturl()

    @property
    def media_folder(self) -> Path:
        """`media_root` made absolute against the project's root."""
        return PROJECT_ROOT / self.media_root

    @property
    def brand_logo_file(self) -> Path | None:
        """`brand_logo` made absolute against the project's root."""
        return None if self.brand_logo is None else PROJECT_ROOT / self.brand_logo

    @property
    def sends_mail(self) -> bool:
        """Whether e-mails are sent to staff."""
        return bool(self.email_host)

    @property
    def webhook_silence_limit(self) -> timedelta | None:
        """Time without a webhook during a sale that is too long; None: it never is."""
        hours = self.webhook_silence_hours
        return timedelta(hours=hours) if hours else None

    @property
    def is_https(self) -> bool:
        """Whether people reach the back office over HTTPS."""
        return self.public_url.startswith("https://")

    @classmethod
    def from_environment(cls) -> Self:
        """Return the settings from the environment and `.env`.

        Raises:
            ConfigurationError: variables are missing or malformed.

        """
        try:
            return cls()
        except ValidationError as error:
            details = {str(detail["loc"][0]).upper(): detail for detail in error.errors()}
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
            raise ConfigurationError({ENV_FILE: f"cannot be read: {why}"}) from error
        raise ConfigurationError({name: _describe_problem(d) for name, d in details.items()})


class GatewaySettings(Settings):
    """The settings of the gateway, which cannot verify webhooks or send messages without these."""

    meta_app_secret: str = Field(min_length=1, repr=False)
    meta_verify_token: SecretStr = Field(min_length=1)
    meta_access_token: SecretStr = Field(min_length=1)
    meta_phone_number_id: str = Field(pattern=r"^\s*\d+(\s*,\s*\d+)*\s*$")


def _split_list(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _describe_problem(detail: ErrorDetails) -> str:
    if detail["type"] == "missing":
        return MISSING_VARIABLE
    return detail["msg"].removeprefix("Value error, ")


@cache
def get_settings() -> Settings:
    """Return the settings of this process, which are read once, at the first call."""
    return Settings.from_environment()
