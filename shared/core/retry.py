"""Waiting times before a retry; pure functions of the number of attempts."""

from datetime import timedelta


def compute_exponential_wait(
    attempt: int, *, base: timedelta, cap: timedelta, factor: float = 2.0
) -> timedelta:
    """Return the wait `base * factor^(attempt-1)`, at most `cap`.

    Args:
        attempt: the number of attempts so far, at least 1.
        base: the wait after the first failure.
        cap: the longest wait.
        factor: the ratio of each wait to the one before.

    Raises:
        ValueError: `attempt` is below 1.

    """
    if attempt < 1:
        raise ValueError(f"attempt counts from 1, got {attempt}")
    exponent = min(attempt - 1, 64)  # beyond, every wait is the cap and floats overflow
    seconds = base.total_seconds() * factor**exponent
    return timedelta(seconds=min(seconds, cap.total_seconds()))


def add_jitter(wait: timedelta, *, jitter: float) -> timedelta:
    """Return `wait`, longer by up to a quarter, so that many retries do not happen at once.

    Args:
        wait: the wait without jitter.
        jitter: a random number between 0 and 1, from the caller.

    """
    return wait * (1 + 0.25 * jitter)


def compute_pair_rate_wait(attempt: int) -> timedelta:
    """Return the wait after Meta's error 131056: 4^n seconds (1, 4, 16, 64 …), at most an hour.

    Source: "Pair rate limits" on Meta's page "About the platform".
    """
    return compute_exponential_wait(
        attempt, base=timedelta(seconds=1), cap=timedelta(hours=1), factor=4.0
    )
