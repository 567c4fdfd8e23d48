"""Script that works off the orders of raffles that were called off or whose draw was moved."""

import django


def main() -> None:
    """Do what the gateway does every few seconds, without letting any hold expire."""
    django.setup()
    from django.utils import timezone

    from shared.use_cases import raffle_changes

    raffle_changes.continue_raffle_changes(now=timezone.now())


if __name__ == "__main__":
    main()
