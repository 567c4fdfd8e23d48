"""Entities of a text: its numbers and amounts of money, with their places."""

from collections.abc import Sequence

from shared.conversation.understanding.numbers.number_groups import Money
from shared.conversation.understanding.numbers.number_items import Group
from shared.conversation.understanding.phrases import PhraseList
from shared.conversation.understanding.text_readings import Entity


def list_entities(
    found: PhraseList, groups: Sequence[Group], money: Sequence[Money]
) -> tuple[Entity, ...]:
    """Return the numbers and amounts of money, in the order in which they are written."""
    tokens, phrases = found.tokens, found.phrases
    entities = [
        Entity(
            "numbers",
            group.numbers.values,
            tokens[found.get_tokens(phrases[group.first])[0]].start,
            tokens[found.get_tokens(phrases[group.last - 1])[1] - 1].end,
        )
        for group in groups
    ]
    entities += [
        Entity("money", each.value, tokens[each.first_token].start, tokens[each.last_token - 1].end)
        for each in money
    ]
    return tuple(sorted(entities, key=lambda entity: entity.start))
