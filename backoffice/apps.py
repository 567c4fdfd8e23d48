"""Django's names for this package and for its admin."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class BackofficeConfig(AppConfig):
    """The app `backoffice`; Django finds the admin pages in its module `admin`."""

    name = "backoffice"
    label = "backoffice"
    verbose_name = "Back office"

    def ready(self) -> None:
        """Listen for logins."""
        from django.contrib.auth.signals import user_logged_in  # noqa: PLC0415 - needs models

        from backoffice.accounts import sessions  # noqa: PLC0415 - needs models

        user_logged_in.connect(sessions.record_session_start, dispatch_uid="sessions.begun")


class AdminConfig(DjangoAdminConfig):
    """Django's admin with our own site in place of the default one.

    The site stands outside the package `admin`, whose import already registers with it.
    """

    default_site = "backoffice.admin_site.BackofficeSite"
