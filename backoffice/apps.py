"""App configurations of the back office and of its admin."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig
from django.urls import register_converter

from backoffice.ui import ids


class BackofficeConfig(AppConfig):
    """The app `backoffice`; Django imports its module `admin`, which registers the models."""

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


class AdminConfig(DjangoAdminConfig):
    """Django's admin with our own site as the default one.

    The site is not in the module `admin`, because importing that module already registers models
    with it.
    """

    default_site = "backoffice.admin_site.BackofficeSite"
