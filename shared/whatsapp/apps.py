"""App configuration of the WhatsApp channel."""

from django.apps import AppConfig


class WhatsAppConfig(AppConfig):
    """The app `whatsapp`."""

    name = "shared.whatsapp"
    label = "whatsapp"
    verbose_name = "WhatsApp"
