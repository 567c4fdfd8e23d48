"""Django's command line, as `uv run manage …`."""

import os
import sys

from django.core.management import execute_from_command_line

from shared.core.config import ConfigurationError


def main() -> None:
    """Run a Django command with the back office's settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    try:
        execute_from_command_line(sys.argv)
    except ConfigurationError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
