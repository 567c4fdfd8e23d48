"""Filters of the raffle list."""

from typing import ClassVar

from django.db.models import Q

from backoffice.changelists.filters import ConditionFilter
from backoffice.raffles.status import RAFFLE_STATUS_BADGES


class RaffleStatusFilter(ConditionFilter):
    """Raffles by status."""

    title = "Status"
    parameter_name = "status"
    answers: ClassVar = {
        status.value: (label, Q(status=status))
        for status, (label, _) in RAFFLE_STATUS_BADGES.items()
    }
