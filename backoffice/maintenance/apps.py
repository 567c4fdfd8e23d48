"""Django app configuration of maintenance."""

from django.apps import AppConfig


class MaintenanceConfig(AppConfig):
    """The app `maintenance`: commands, and the versions that migrated the database."""

    name = "backoffice.maintenance"
    label = "maintenance"
    verbose_name = "Maintenance"
