"""Seeds a database with raffles: `python PATH/seeding.py NUMBERS …`, one raffle for each argument.

It runs with the interpreter of the checkout that is measured, which may be of another version.
"""

import os
import sys
from datetime import UTC, datetime, timedelta

import django


def main() -> None:
    """Create an open raffle with so many numbers, from 0, for each argument."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "gateway.settings"
    django.setup()
    from tests import builders

    for place, numbers in enumerate(sys.argv[1:]):
        builders.create_raffle(
            numbers=int(numbers),
            first_number=0,
            title=f"Raffle {place + 1}",
            draw_at=datetime.now(UTC) + timedelta(days=20),
        )


if __name__ == "__main__":
    main()
