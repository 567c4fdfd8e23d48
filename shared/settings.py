"""Django settings that both processes share; each process adds its own."""

from typing import Any

import dj_database_url

from shared.core import config, logs

configuration = config.get_settings()

SECRET_KEY = configuration.django_secret_key.get_secret_value()
SECRET_KEY_FALLBACKS = list(configuration.secret_key_fallbacks)
DEBUG = configuration.django_debug
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SHARED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "shared.raffles.apps.RafflesConfig",
    "shared.whatsapp.apps.WhatsAppConfig",
    "shared.events.apps.EventsConfig",
    "shared.publishing.apps.PublishingConfig",
    "shared.staff_mail.apps.StaffMailConfig",
    "shared.conversation.apps.ConversationConfig",
    "shared.use_cases.apps.UseCasesConfig",
]
INSTALLED_APPS = list(SHARED_APPS)

SQLITE_OPTIONS: dict[str, Any] = {
    # A deferred transaction that reads before it writes fails with "database is locked" at once,
    # whatever the timeout.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
}


def build_database_settings(url: str) -> dict[str, Any]:
    """Return Django's database settings for a URL, with options that were tested under load."""
    parsed: dict[str, Any] = dict(dj_database_url.parse(url))
    parsed["CONN_MAX_AGE"] = None
    parsed["ATOMIC_REQUESTS"] = False
    if parsed["ENGINE"].endswith("sqlite3"):
        parsed["OPTIONS"] = dict(SQLITE_OPTIONS)
    else:
        parsed["CONN_HEALTH_CHECKS"] = True
        # Otherwise a host that drops packets blocks a worker for minutes.
        parsed.setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
    return parsed


DATABASES = {"default": build_database_settings(configuration.resolved_database_url)}

STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": configuration.media_folder},
    },
    # Proofs are accessed through this alias only, never by a path, so machines can share a storage.
    "proofs": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": configuration.media_folder / "proofs", "base_url": None},
    },
    # Pictures of proofs for pages: a cache that may be emptied at any time.
    "renditions": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": configuration.media_folder / "renditions",
            "base_url": None,
            "allow_overwrite": True,
        },
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

EMAIL_HOST = configuration.email_host
EMAIL_PORT = configuration.email_port
EMAIL_HOST_USER = configuration.email_host_user
EMAIL_HOST_PASSWORD = configuration.email_host_password.get_secret_value()
EMAIL_USE_SSL = configuration.email_use_ssl
EMAIL_USE_TLS = configuration.email_use_tls and not EMAIL_USE_SSL
EMAIL_TIMEOUT = 10  # seconds for one answer of the mail server
DEFAULT_FROM_EMAIL = configuration.default_from_email

LOGGING_CONFIG = None  # structlog configures every logger
logs.configure_logging(style=configuration.log_format, level=configuration.log_level)
