"""Django's names for this package and for its admin."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class BackofficeConfig(AppConfig):
    """The app `backoffice`; Django finds the admin pages in its module `admin`."""

    name = "backoffice"
    label = "backoffice"
    verbose_name = "Back office"


class AdminConfig(DjangoAdminConfig):
    """Django's admin with our own site in place of the default one.

    The site stands outside the package `admin`, whose import already registers with it.
    """

    default_site = "backoffice.site.BackofficeSite"
