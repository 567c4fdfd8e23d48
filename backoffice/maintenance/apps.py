"""Django app configuration of maintenance."""

from django.apps import AppConfig


class MaintenanceConfig(AppConfig):
    """The app `maintenance`, which has commands and no models."""

    name = "backoffice.maintenance"
    label = "maintenance"
    verbose_name = "Maintenance"
