"""Tests of the advice for alarms: every kind has its own."""

from typing import Final

import pytest

from backoffice.messaging import alarm_advice
from shared.whatsapp.models import Alarm
from tests import stable_names

ALARM_KINDS: Final = sorted(
    {key.partition(":")[0] for key in stable_names.load()["alarm keys"]["names"]}
)


@pytest.mark.parametrize("kind", ALARM_KINDS)
def test_every_kind_of_alarm_has_advice_of_its_own(kind: str) -> None:
    advice = alarm_advice.build_alarm_advice(Alarm(key=f"{kind}:1"))

    assert advice != alarm_advice.build_alarm_advice(Alarm(key="unheard-of")), (
        f"Add the advice for {kind} to {alarm_advice.__name__}."
    )
    assert advice.steps


def test_no_advice_is_kept_for_alarms_that_nothing_sounds() -> None:
    assert sorted(alarm_advice.ADVICE_BUILDERS) == ALARM_KINDS
