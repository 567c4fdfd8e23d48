"""Django's name for this package."""

from django.apps import AppConfig


class RafflesConfig(AppConfig):
    """The app `raffles`."""

    name = "shared.raffles"
    label = "raffles"
    verbose_name = "Raffles"
