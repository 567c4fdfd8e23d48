"""Filters of the raffle list."""

from backoffice.changelists.filters import ConditionFilter, build_enum_answers
from shared.core.enums import RaffleStatus


class RaffleStatusFilter(ConditionFilter):
    """Raffles by status."""

    title = "Status"
    parameter_name = "status"
    answers = build_enum_answers(RaffleStatus)
