"""App configuration of e-mails to staff."""

from django.apps import AppConfig


class StaffMailConfig(AppConfig):
    """The app `staff_mail`."""

    name = "shared.staff_mail"
    label = "staff_mail"
    verbose_name = "E-mails to staff"
