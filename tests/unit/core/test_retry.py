"""Tests of retry delays as a table."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core import retry


class TestExponential:
    @pytest.mark.parametrize(
        ("attempt", "seconds"), [(1, 2), (2, 4), (3, 8), (5, 32), (6, 60), (10**9, 60)]
    )
    def test_doubles_up_to_the_cap(self, attempt: int, seconds: int) -> None:
        wait = retry.compute_exponential_wait(
            attempt, base=timedelta(seconds=2), cap=timedelta(minutes=1)
        )

        assert wait == timedelta(seconds=seconds)

    def test_counts_from_one(self) -> None:
        with pytest.raises(ValueError, match="counts from 1"):
            retry.compute_exponential_wait(0, base=timedelta(seconds=1), cap=timedelta(seconds=1))


class TestPairRate:
    @pytest.mark.parametrize(("attempt", "seconds"), [(1, 1), (2, 4), (3, 16), (4, 64), (9, 3600)])
    def test_follows_metas_powers_of_four(self, attempt: int, seconds: int) -> None:
        assert retry.compute_pair_rate_wait(attempt) == timedelta(seconds=seconds)


class TestSpread:
    @given(st.floats(0, 1))
    def test_never_shortens_and_adds_a_quarter_at_most(self, jitter: float) -> None:
        wait = timedelta(seconds=40)

        assert wait <= retry.add_jitter(wait, jitter=jitter) <= wait * 1.25
