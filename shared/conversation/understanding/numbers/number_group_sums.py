"""Groups of numbers put together, taken away from each other, and replaced."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from shared.conversation.understanding.text_readings import NumberGroup


def merge_groups(groups: Sequence[NumberGroup]) -> NumberGroup | None:
    """Return several groups as one; quantities among them make it doubtful."""
    if len(groups) <= 1:
        return groups[0] if groups else None
    values = tuple(sorted({value for group in groups for value in group.values}))
    return NumberGroup(
        values,
        is_marked=any(group.is_marked for group in groups),
        is_plain=all(group.is_plain for group in groups),
        is_doubtful=any(
            group.is_doubtful or group.is_counted or group.is_in_words for group in groups
        ),
        is_unclear=any(group.is_unclear for group in groups),
    )


def subtract(take: NumberGroup, drop: NumberGroup) -> tuple[NumberGroup, NumberGroup | None]:
    """Return two groups without the numbers of both: "7, 13 … not 13" corrects what was said."""
    both = set(take.values) & set(drop.values)
    if take.is_single or not both:
        return take, drop
    rest = _without(drop, both)
    return _without(take, both), rest if rest.values else None


def replace_numbers(
    take: NumberGroup, replaced: NumberGroup, otherwise: NumberGroup
) -> NumberGroup:
    """Return the alternative of which only some numbers differ: "7, 45, if 45 is gone then 46"."""
    rest = _without(take, replaced.values)
    return replace(otherwise, values=tuple(sorted({*rest.values, *otherwise.values})))


def _without(group: NumberGroup, values: Collection[int]) -> NumberGroup:
    return replace(group, values=tuple(each for each in group.values if each not in values))
