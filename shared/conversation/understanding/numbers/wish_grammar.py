"""Grammar of wishes about numbers: what the words between numbers say is to be done with them.

The items of a text are read from left to right. A word such as "not", "instead of" or "otherwise"
says what the numbers after it are; `RULES` are tried in their order, and the first that fits
counts.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Final

from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.numbers.number_group_sums import merge_groups
from shared.conversation.understanding.numbers.number_items import (
    WANTING_WORDS,
    Group,
    NumberItems,
)
from shared.conversation.understanding.phrases import Phrase, PhraseList
from shared.conversation.understanding.text_readings import NumberGroup
from shared.conversation.understanding.vocabulary import WordRole

MAX_LIST_TO_CORRECT: Final = 20
"""Numbers of a list of which the last one may be corrected; a range is longer."""

_WEAK_CORRECTIONS: Final = frozenset({"no", "sorry", "wait"})
"""Words that correct only where a number or a wish comes before and after them."""


class NumberMode(Enum):
    """What the next numbers of a text are."""

    TAKE = auto()
    DROP = auto()
    CHANGE_FROM = auto()
    OTHERWISE = auto()
    CORRECT = auto()  # they replace the last numbers before them


@dataclass(slots=True)
class WishParts:
    """What is known of a wish so far.

    Attributes:
        take: wanted numbers, or a quantity.
        drop: unwanted numbers.
        otherwise: what is wanted if `take` is taken.
        adds: whether they come beside what was said before.
        replaces: whether they come instead of it.
        more: whether a quantity comes on top.
        if_free: whether they are wanted only if they are free.
        has_alternative: whether something else is wanted if they are not.
        is_open: whether the buyer leaves it open: "1 or 2".
        is_contradictory: whether two words drop the same numbers: "do not drop 7".
        changes: whether a word says that numbers are to be changed.
        replaced: the numbers in whose place `otherwise` comes; None: in that of all.
        shares: how many groups are for different people: "3 for me".
        used: the indexes of the phrases that were read.

    """

    mode: NumberMode = NumberMode.TAKE
    take: list[NumberGroup] = field(default_factory=list)
    drop: list[NumberGroup] = field(default_factory=list)
    otherwise: list[NumberGroup] = field(default_factory=list)
    adds: bool = False
    replaces: bool = False
    more: bool = False
    if_free: bool = False
    has_alternative: bool = False
    is_open: bool = False
    is_contradictory: bool = False
    changes: bool = False
    replaced: NumberGroup | None = None
    shares: int = 0
    used: set[int] = field(default_factory=set)

    @property
    def is_dropping(self) -> bool:
        """Whether unwanted numbers were named last."""
        return self.mode is NumberMode.DROP and bool(self.drop)


@dataclass(frozen=True, slots=True)
class _Moment:
    """A phrase with what stands around it.

    Attributes:
        follows: whether numbers follow that it may be about.
        precedes: whether numbers stand before it.
        wants_after: whether "i want" or "give me" follows at once.

    """

    phrase: Phrase
    text: str
    follows: bool
    precedes: bool
    wants_after: bool
    wish: WishParts

    def has(self, role: WordRole) -> bool:
        """Return whether the phrase has a role."""
        return role in self.phrase.roles

    def means(self, intent: Intent) -> bool:
        """Return whether the phrase has an intent."""
        return intent in self.phrase.intents


def read_wish(found: PhraseList, items: NumberItems, *, adds: bool) -> WishParts:
    """Return what is to be done with the numbers of a text.

    Args:
        found: the text.
        items: its numbers, and the phrases between them.
        adds: whether a sign before it says that it adds: "+ 21".

    """
    wish = WishParts(adds=adds)
    skipped: Collection[int] = ()
    for place, item in enumerate(items.items):
        if place in skipped:
            continue
        if condition := _find_condition(place, found, items, wish):
            skipped = range(place, condition.last)
            _begin_condition(condition, found, items, wish)
        elif isinstance(item, Group):
            _add_group(item, found, wish)
        elif item.roles or item.intents:
            _apply_rules(_describe(place, item, found, items, wish), found)
        elif wish.is_dropping and found.get_text(item) in WANTING_WORDS:
            wish.mode = NumberMode.TAKE
    return wish


@dataclass(frozen=True, slots=True)
class _Condition:
    """Words such as "if 45 is gone", about numbers that were named before.

    Attributes:
        group: the numbers.
        first: the index of its first item.
        last: the index after its last item.

    """

    group: Group
    first: int
    last: int


def _find_condition(
    place: int, found: PhraseList, items: NumberItems, wish: WishParts
) -> _Condition | None:
    """Return the condition that begins at an item, or None."""
    item, *rest = items.items[place : place + 4]
    if isinstance(item, Group) or found.get_text(item) not in _CONDITIONS or not rest:
        return None
    group = rest[0]
    named = {value for each in wish.take for value in each.values}
    if not isinstance(group, Group) or not set(group.numbers.values) <= named:
        return None
    for distance, each in enumerate(rest[1:], 2):
        if isinstance(each, Group):
            return None
        if found.get_text(each).removeprefix("already ") in _TAKEN:
            return _Condition(group, place, place + distance + 1)
    return None


def _begin_condition(
    condition: _Condition, found: PhraseList, items: NumberItems, wish: WishParts
) -> None:
    """Take what follows for the alternative; without any, that was named before: "or 61 if …"."""
    for item in items.items[condition.first : condition.last]:
        if isinstance(item, Phrase):
            wish.used.add(found.phrases.index(item))
    if items.find_next_group(condition.last - 1) is not None:
        wish.mode, wish.has_alternative = NumberMode.OTHERWISE, True
        wish.replaced = condition.group.numbers
    elif wish.otherwise:
        wish.is_open = False


_CONDITIONS: Final = frozenset({"if", "but if", "in case", "when"})
_TAKEN: Final = frozenset({"taken", "gone", "sold", "not free", "not available", "reserved"})


def _describe(
    place: int, phrase: Phrase, found: PhraseList, items: NumberItems, wish: WishParts
) -> _Moment:
    after = items.items[place + 1] if place + 1 < len(items.items) else None
    wants_after = isinstance(after, Phrase) and (
        Intent.BUY in after.intents or found.get_text(after) in WANTING_WORDS | {"i"}
    )
    return _Moment(
        phrase,
        found.get_text(phrase),
        follows=items.find_next_group(place) is not None,
        precedes=items.has_group_before(place),
        wants_after=wants_after,
        wish=wish,
    )


def _add_group(group: Group, found: PhraseList, wish: WishParts) -> None:
    first = found.phrases[group.first]
    before = found.phrases[group.first - 1] if group.first else None
    if wish.is_dropping and (
        found.has_break_before(first)
        or WordRole.NUMBER in first.roles
        or (before is not None and found.has_sign_after(before, ","))
    ):
        wish.mode = NumberMode.TAKE
    match wish.mode:
        case NumberMode.DROP | NumberMode.CHANGE_FROM:
            wish.drop.append(group.numbers)
        case NumberMode.OTHERWISE:
            wish.otherwise.append(group.numbers)
        case NumberMode.CORRECT:
            wish.take = _correct(wish.take, group.numbers)
            wish.mode = NumberMode.TAKE
        case NumberMode.TAKE:
            wish.take.append(group.numbers)


def _correct(before: Sequence[NumberGroup], numbers: NumberGroup) -> list[NumberGroup]:
    """Return the groups with the last number corrected: "7 and 13, sorry i meant 17"."""
    last = before[-1] if before else None
    if last is None or not numbers.is_single:
        return [numbers]
    if last.is_counted:
        return [*before[:-1], replace(numbers, is_counted=True)]
    if last.is_single or last.last is None or len(last.values) > MAX_LIST_TO_CORRECT:
        return [*before[:-1], numbers]
    kept = tuple(value for value in last.values if value != last.last)
    return [*before[:-1], replace(last, values=kept, last=None), numbers]


# ── rules ────────────────────────────────────────────────────────────────────────────────────────


def _apply_rules(moment: _Moment, found: PhraseList) -> None:
    wish = moment.wish
    waits = wish.mode is NumberMode.DROP and not wish.drop
    for fits, apply in RULES:
        if fits(moment):
            apply(wish)
            if waits and wish.mode is not NumberMode.DROP:  # "not add 300"
                wish.is_contradictory = True
            wish.used.add(found.phrases.index(moment.phrase))
            return


def _set_mode(mode: NumberMode) -> Callable[[WishParts], None]:
    def set_mode(wish: WishParts) -> None:
        wish.mode = mode

    return set_mode


def _note_condition(wish: WishParts) -> None:
    wish.if_free = True


def _begin_alternative(wish: WishParts) -> None:
    wish.mode, wish.has_alternative = NumberMode.OTHERWISE, True


def _begin_open_choice(wish: WishParts) -> None:
    wish.mode, wish.is_open = NumberMode.OTHERWISE, True


def _begin_change(wish: WishParts) -> None:
    wish.mode, wish.changes = NumberMode.CHANGE_FROM, True


def _begin_drop(wish: WishParts) -> None:
    if wish.mode is NumberMode.DROP and not wish.drop:
        wish.is_contradictory = True
    wish.mode = NumberMode.DROP


def _drop_last(wish: WishParts) -> None:
    if not wish.take:
        wish.is_contradictory = True
        return
    wish.drop, wish.take = [*wish.drop, wish.take[-1]], wish.take[:-1]


def _correct_or_swap(wish: WishParts) -> None:
    is_swap = wish.mode in {NumberMode.DROP, NumberMode.CHANGE_FROM}
    wish.mode = NumberMode.TAKE if is_swap else NumberMode.CORRECT


def _replace(wish: WishParts) -> None:
    wish.replaces = True


def _share(wish: WishParts) -> None:
    wish.shares += 1


def _take_more(wish: WishParts) -> None:
    wish.more = True


def _add(wish: WishParts) -> None:
    wish.adds = True
    if wish.mode in {NumberMode.DROP, NumberMode.OTHERWISE}:
        wish.mode = NumberMode.TAKE


def _join(wish: WishParts) -> None:
    if wish.mode in {NumberMode.DROP, NumberMode.OTHERWISE}:
        wish.mode = NumberMode.TAKE


def _do_nothing(_wish: WishParts) -> None:
    """Leave the wish as it is: the phrase says nothing new of it."""


def _is_correction(moment: _Moment) -> bool:
    near = moment.precedes or moment.follows
    is_clear = moment.text not in _WEAK_CORRECTIONS or (moment.follows and moment.wants_after)
    return moment.has(WordRole.INSTEAD) and near and is_clear


type _Rule = tuple[Callable[[_Moment], bool], Callable[[WishParts], None]]

RULES: Final[Sequence[_Rule]] = (
    (lambda m: m.has(WordRole.IF_FREE) and (m.precedes or m.follows), _note_condition),
    (lambda m: m.has(WordRole.ELSE) and bool(m.wish.take), _begin_alternative),
    (lambda m: (m.has(WordRole.CHANGE) or m.means(Intent.CHANGE)) and m.follows, _begin_change),
    (
        lambda m: (
            (m.has(WordRole.DROP_AFTER) or m.has(WordRole.LESS)) and m.precedes and not m.follows
        ),
        _drop_last,
    ),
    (
        lambda m: m.means(Intent.BUY) and m.wish.is_dropping and m.follows,
        _set_mode(NumberMode.TAKE),
    ),
    (
        lambda m: (
            m.has(WordRole.TO) and m.wish.mode is NumberMode.CHANGE_FROM and bool(m.wish.drop)
        ),
        _set_mode(NumberMode.TAKE),
    ),
    (
        lambda m: m.has(WordRole.INSTEAD_OF) and not m.has(WordRole.DROP) and m.follows,
        _set_mode(NumberMode.DROP),
    ),
    (lambda m: m.has(WordRole.OR) and bool(m.wish.take) and m.follows, _begin_open_choice),
    (lambda m: m.has(WordRole.BUT), _do_nothing),
    (lambda m: m.has(WordRole.DROP) and m.follows, _begin_drop),
    (lambda m: m.has(WordRole.INSTEAD) and m.follows and m.precedes, _correct_or_swap),
    (_is_correction, _replace),
    (lambda m: m.has(WordRole.FOR_ME) and m.precedes, _share),
    (lambda m: m.has(WordRole.MORE) and (m.follows or m.precedes), _take_more),
    (
        lambda m: (
            m.has(WordRole.ADD)
            and (m.follows or m.precedes)
            and (not m.precedes or not m.follows or bool(m.wish.drop))
        ),
        _add,
    ),
    (lambda m: m.has(WordRole.ADD) and (m.follows or m.precedes), _join),
    (
        lambda m: (
            bool(m.phrase.roles)
            and set(m.phrase.roles)
            <= {WordRole.NUMBER, WordRole.MANY, WordRole.ALL, WordRole.WORTH}
        ),
        _do_nothing,
    ),
)
"""What a phrase does to a wish, by the first condition that it fulfils."""


def merge_shares(wish: WishParts) -> NumberGroup | None:
    """Return the wanted numbers as one group; "3 for me and 2 for my mom" are five."""
    groups = wish.take
    if (
        len(groups) > 1
        and wish.shares >= len(groups)
        and all(group.is_single and not group.is_marked for group in groups)
    ):
        total = sum(group.values[0] for group in groups)
        return NumberGroup((total,), is_single=True, is_counted=True, last=total)
    return merge_groups(groups)
