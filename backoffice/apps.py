"""App configurations of the back office and of its admin."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks
from django.urls import register_converter

from backoffice.ui import ids


class BackofficeConfig(AppConfig):
    """The app `backoffice`; its module `admin` registers the models with the admin."""

    name = "backoffice"
    label = "backoffice"
    verbose_name = "Back office"

    def ready(self) -> None:
        """Register the URL converter of ids, and connect receivers of signals.

        They record the start of a session at each login, and erase buyers from the admin log.
        """
        from django.contrib.auth.signals import user_logged_in  # noqa: PLC0415 - needs models

        from backoffice.accounts import sessions  # noqa: PLC0415 - needs models
        from backoffice.messaging import audit_erasure  # noqa: F401, PLC0415 - needs models

        register_converter(ids.IdConverter, "id")
        user_logged_in.connect(sessions.record_session_start, dispatch_uid="sessions.begun")


class AdminConfig(SimpleAdminConfig):
    """Django's admin with our own site as the default one.

    The site is not in the module `admin`, because importing that module already registers models
    with it. The URLs and the checks load the model admins: a command that needs neither, such as a
    backup, starts in two thirds of the time.
    """

    default_site = "backoffice.admin_site.BackofficeSite"

    def ready(self) -> None:
        """Register Django's checks of the admin."""
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_model_admins, checks.Tags.admin)


def check_model_admins(
    app_configs: Sequence[AppConfig] | None, **options: Any
) -> list[checks.CheckMessage]:
    """Load the model admins and check them as Django does."""
    admin.autodiscover()
    found: list[checks.CheckMessage] = check_admin_app(app_configs, **options)
    return found
