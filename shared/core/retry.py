"""When to try again: pure functions of how often it was tried."""

from datetime import timedelta


def compute_exponential_wait(
    attempt: int, *, base: timedelta, cap: timedelta, factor: float = 2.0
) -> timedelta:
    """Wait `base * factor^(attempt-1)`, at most `cap`.

    Args:
        attempt: how often it was tried so far, at least 1.
        base: the wait after the first failure.
        cap: the longest wait.
        factor: by how much each wait outgrows the one before.

    """
    if attempt < 1:
        raise ValueError(f"attempt counts from 1, got {attempt}")
    exponent = min(attempt - 1, 64)  # beyond, every wait is the cap and floats overflow
    seconds = base.total_seconds() * factor**exponent
    return timedelta(seconds=min(seconds, cap.total_seconds()))


def add_jitter(wait: timedelta, *, jitter: float) -> timedelta:
    """Stretch `wait` by up to a quarter, so that many do not come back at the same instant.

    Args:
        wait: the plain wait.
        jitter: a die between 0 and 1, thrown by the caller.

    """
    return wait * (1 + 0.25 * jitter)


def compute_pair_rate_wait(attempt: int) -> timedelta:
    """Wait 4^n seconds (1, 4, 16, 64 …, at most an hour) after Meta's error 131056.

    Source: "Pair rate limits" on Meta's page "About the platform".
    """
    return compute_exponential_wait(
        attempt, base=timedelta(seconds=1), cap=timedelta(hours=1), factor=4.0
    )
