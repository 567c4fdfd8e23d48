"""Secrets from files: `NAME_FILE` names a file that holds the value of the variable `NAME`.

Container engines and systemd hand secrets over as files, the official images of databases take
their names in this form, and it keeps secrets out of `docker inspect` and of child processes.
pydantic-settings has a folder of secrets instead, whose file names cannot be chosen.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast, override

from pydantic import field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

SECRET_FIELDS: Final = frozenset(
    {
        "database_url",
        "database_password",
        "django_secret_key",
        "django_secret_key_fallbacks",
        "email_host_password",
        "meta_access_token",
        "meta_app_secret",
        "meta_verify_token",
    }
)
"""Settings whose value may be in a file."""

FILE_SUFFIX: Final = "_FILE"
"""Ending of the name of a variable that names the file with a secret."""

MAX_SECRET_BYTES: Final = 65_536
"""Size of a file from which it holds something else than a secret."""


@dataclass(frozen=True)
class UnusableSecretFile:
    """The place of a value whose file cannot be used; the settings refuse it with this problem."""

    problem: str


class SecretFileSource(PydanticBaseSettingsSource):
    """The secrets whose files the variables of another source name."""

    def __init__(self, settings_cls: type[BaseSettings], variables: EnvSettingsSource) -> None:
        super().__init__(settings_cls)
        self._variables = variables.env_vars  # empty ones are left out, names are in lower case

    @override
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the secret of a setting; None if no file is named for it."""
        path = self._variables.get(name_file_variable(field_name).lower())
        if field_name not in SECRET_FIELDS or path is None:
            return None, field_name, False
        if self._variables.get(field_name) is not None:
            problem = f"is given twice: take either it or {name_file_variable(field_name)} out"
            return UnusableSecretFile(problem), field_name, False
        return _read_secret(Path(path), field_name), field_name, False

    @override
    def __call__(self) -> dict[str, Any]:
        """Return the secrets by the name of their setting."""
        fields = self.settings_cls.model_fields.items()
        found = {name: self.get_field_value(field, name)[0] for name, field in fields}
        return {name: value for name, value in found.items() if value is not None}


class SettingsWithSecretFiles(BaseSettings):
    """Settings whose secrets may be in files that the environment or `.env` names."""

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources; those of the environment go before those of `.env`."""
        sources = [init_settings]
        for variables in (env_settings, dotenv_settings):
            files = SecretFileSource(settings_cls, cast(EnvSettingsSource, variables))
            sources += [files, variables]
        return tuple(sources)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_unusable_file(cls, value: Any) -> Any:
        if isinstance(value, UnusableSecretFile):
            raise ValueError(value.problem)  # noqa: TRY004 - pydantic collects these
        return value


def name_file_variable(field_name: str) -> str:
    """Return the variable that names the file of a secret."""
    return f"{field_name.upper()}{FILE_SUFFIX}"


def _read_secret(path: Path, field_name: str) -> str | UnusableSecretFile:
    """Return the content of a file without the end of its line."""
    named = f"the file {path}, which {name_file_variable(field_name)} names,"
    try:
        if path.exists() and not path.is_file():  # to read a pipe or a device may never end
            return UnusableSecretFile(f"{named} is a folder or a device")
        with path.open("rb") as file:
            content = file.read(MAX_SECRET_BYTES + 1)
        if len(content) > MAX_SECRET_BYTES:
            return UnusableSecretFile(f"{named} has more than {MAX_SECRET_BYTES:,} bytes")
        secret = content.decode("utf-8-sig").strip()  # without the mark of Windows' editors
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        return UnusableSecretFile(f"{named} cannot be read: {why}")
    if len(secret.splitlines()) > 1:
        return UnusableSecretFile(f"{named} has more than one line")
    return secret or UnusableSecretFile(f"{named} is empty")
