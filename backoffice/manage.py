"""Django's command line, as `uv run manage …`."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Run a Django command with the back office's settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
