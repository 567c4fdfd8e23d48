"""Base of the commands of `manage`."""

from django.core.management.base import BaseCommand


class OperatorCommand(BaseCommand):
    """A command that starts at once, without Django's system checks.

    They check the program and not the machine, so the tests run them. For them Django would load
    every page and its URLs, which takes longer than most commands do.
    """

    requires_system_checks = ()
