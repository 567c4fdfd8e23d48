"""Reader of buyers' texts: words, numbers and names become one reading.

A text is folded and split into tokens, the longest known phrases are found, numbers that stand
together become groups, and the words between the groups say what is to be done with them. What is
left unread is kept: where it may matter, the bot asks and does nothing.

Any phone can send any text. A text that is too long is not read at all, and the work for one of
double the length is at most double: no step looks at a token more often than a fixed number of
times, apart from patterns, whose length is bounded.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

from rapidfuzz import fuzz

from shared.conversation.buyer_texts.number_list import parse_number_list
from shared.conversation.buyer_texts.text_normalization import (
    MAX_NUMBERS_TEXT,
    MAX_WORDS_TEXT,
    collapse_spaces,
    fold_digits,
    normalize_text,
)
from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.number_groups import (
    RANGE_OPENINGS,
    RANGE_WORDS,
    find_money,
    read_number_group,
)
from shared.conversation.understanding.phrases import Phrase, PhraseList, find_phrases
from shared.conversation.understanding.reading import (
    Entity,
    NumberGroup,
    NumberWish,
    Reading,
)
from shared.conversation.understanding.tokens import (
    UNREADABLE,
    TokenKind,
    are_adjacent,
    fold_text,
    has_sign,
    split_tokens,
)
from shared.conversation.understanding.vocabulary import Doubt, Role, load_vocabulary

SIMILARITY_THRESHOLD: Final = 84
"""The similarity, out of 100, from which a word counts as one of a raffle's name."""

MIN_NAME_LETTERS: Final = 4
"""Letters of the shortest word that names a raffle by itself."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a text is read with.

    Attributes:
        titles: the titles of the raffles on sale.
        prizes: their prizes, in the same order; a raffle may be named by its prize.
        last_number: the last ticket number of the raffle that is meant; None: unknown.

    """

    titles: tuple[str, ...] = ()
    prizes: tuple[str, ...] = ()
    last_number: int | None = None


@lru_cache(maxsize=1_024)  # a message is read where it is answered, and where it is counted
def read_text(text: str, surroundings: Surroundings = Surroundings()) -> Reading:  # noqa: B008 - frozen
    """Return what a text means.

    Args:
        text: the buyer's text; messages that waited together are its lines.
        surroundings: the names and numbers it may refer to.

    """
    vocabulary = load_vocabulary()
    folded = fold_text(text, emoji=vocabulary.emoji, limit=MAX_WORDS_TEXT)
    if not folded:
        return _read_long_list(text, surroundings)
    names = _NameFinder(surroundings)
    found = find_phrases(split_tokens(folded), names=names.words)
    return _Reader(found, folded, surroundings, names).read()


def _read_long_list(text: str, surroundings: Surroundings) -> Reading:
    """Return the reading of a text that is too long for words: ticket numbers or nothing."""
    lines = fold_digits(text[: MAX_NUMBERS_TEXT + 1]).splitlines()
    numbers = parse_number_list(
        collapse_spaces("; ".join(lines)), last_number=surroundings.last_number
    )
    if numbers is None or numbers.has_other_words:
        return Reading(Intent.UNKNOWN, core_words=1 if text.strip() else 0)
    group = NumberGroup(
        numbers.values,
        is_marked=numbers.is_marked,
        is_single=numbers.is_single,
        is_plain=numbers.is_plain,
        is_doubtful=numbers.is_doubtful,
        is_unclear=numbers.is_unclear,
    )
    doubts = frozenset({Doubt.UNREAD_NUMBER}) if numbers.is_unclear else frozenset[Doubt]()
    return Reading(Intent.TAKE, wish=NumberWish(take=group), doubts=doubts)


# ── names of raffles ─────────────────────────────────────────────────────────────────────────────


class _NameFinder:
    """Finds the raffle that a text names, by its title or prize or by a word that only it has."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._titles = [normalize_text(title).split() for title in surroundings.titles]
        prizes = [normalize_text(prize).split() for prize in surroundings.prizes]
        prizes += [[]] * (len(self._titles) - len(prizes))
        own = [{*title, *prize} for title, prize in zip(self._titles, prizes, strict=False)]
        known = load_vocabulary().words
        self._own = [
            {
                word
                for word in words
                if len(word) >= MIN_NAME_LETTERS
                and (word not in known or word in _NAMES_THOUGH_KNOWN)
                and not any(word in others for at, others in enumerate(own) if at != index)
            }
            for index, words in enumerate(own)
        ]
        self.words: frozenset[str] = frozenset().union(*self._own) if self._own else frozenset()

    def find(self, found: PhraseList) -> tuple[int | None, set[int]]:
        """Return the index of the raffle that is named, and the words that name it."""
        texts = [word.text for word in found.words]
        whole = {
            index: range(at, at + len(title))
            for index, title in enumerate(self._titles)
            if title
            for at in range(len(texts) - len(title) + 1)
            if texts[at : at + len(title)] == title
        }
        if len(whole) == 1:
            [(index, places)] = whole.items()
            return index, set(places)
        named: dict[int, set[int]] = {}
        for place, text in enumerate(texts):
            for index, own in enumerate(self._own):
                if len(text) >= MIN_NAME_LETTERS and any(
                    fuzz.ratio(word, text) >= SIMILARITY_THRESHOLD for word in own
                ):
                    named.setdefault(index, set()).add(place)
        places = set().union(*named.values()) if named else set[int]()
        return (next(iter(named)) if len(named) == 1 else None), places


_NAMES_THOUGH_KNOWN: Final = frozenset({"winter", "summer", "spring"})

# ── one text ─────────────────────────────────────────────────────────────────────────────────────

_CONNECTING: Final = frozenset({Role.NUMBER, Role.MANY, Role.EACH_OF_TWO, Role.CURRENCY})
_LIKE_ROLES: Final = (Role.ENDING, Role.STARTING, Role.CONTAINING)
_KIND_ROLES: Final = (Role.ODD, Role.EVEN, Role.LOW, Role.HIGH)
_PRONOUN_BEFORE_ONE: Final = frozenset({
    "the", "this", "that", "which", "another", "other", "each", "any", "every", "wrong", "same",
    "first", "last", "second", "third", "what", "good", "new", "nice", "no", "right", "cheap",
})  # fmt: skip


@dataclass(slots=True)
class _Group:
    """Numbers that stand together, among the phrases."""

    first: int
    last: int
    numbers: NumberGroup


type _Item = _Group | Phrase


@dataclass(slots=True)
class _Wish:
    """What is known of a buyer's wish about numbers so far."""

    mode: str = "take"
    take: list[NumberGroup] = field(default_factory=list)
    drop: list[NumberGroup] = field(default_factory=list)
    otherwise: list[NumberGroup] = field(default_factory=list)
    adds: bool = False
    replaces: bool = False
    more: bool = False
    has_changed: bool = False


class _Reader:
    """Reads one text."""

    def __init__(
        self, found: PhraseList, folded: str, surroundings: Surroundings, names: _NameFinder
    ) -> None:
        self._found = found
        self._folded = folded
        self._last_number = surroundings.last_number
        self._raffle, self._named_words = names.find(found)
        self._doubts: set[Doubt] = set()
        self._money = find_money(found)
        self._money_tokens = {
            token for money in self._money for token in range(money.first_token, money.last_token)
        }
        self._used: set[int] = set()
        """Phrases by index that say what to do with numbers, so that they are read."""

    def read(self) -> Reading:
        """Return the reading."""
        if UNREADABLE in self._folded:
            self._doubts.add(Doubt.UNREAD_NUMBER)
        phrases = self._found.phrases
        items = self._collect_groups(phrases)
        groups = [item for item in items if isinstance(item, _Group)]
        roles = {role for phrase in phrases for role in phrase.roles}
        is_question = has_sign(self._found.tokens, "?")
        reading = self._read_numbers(items, groups, roles, is_question=is_question)
        return reading.with_changes(
            raffle=self._raffle,
            unread=self._list_unread(phrases),
            entities=self._list_entities(groups),
            is_question=is_question,
            core_words=sum(
                phrase.size for phrase in phrases if not phrase.is_filler and not phrase.amount
            ),
        )

    # ── groups of numbers ────────────────────────────────────────────────────────────────────────

    def _is_number(self, phrase: Phrase) -> bool:
        if phrase.amount is None and not self._found.get_text(phrase).isdecimal():
            return False
        token = self._found.words[phrase.first].token
        if token in self._money_tokens:
            return False
        if self._found.get_text(phrase) == "one" and phrase.first > 0:
            before = self._found.words[phrase.first - 1]
            if before.text in _PRONOUN_BEFORE_ONE or phrase.first - 1 in self._named_words:
                return False
        return True

    def _collect_groups(self, phrases: Sequence[Phrase]) -> list[_Item]:
        """Return the phrases, with those that stand together as numbers joined to groups."""
        is_random = any(Intent.RANDOM in phrase.intents for phrase in phrases)
        items: list[_Item] = []
        place = 0
        while place < len(phrases):
            if not self._is_number(phrases[place]):
                items.append(phrases[place])
                place += 1
                continue
            last = self._find_group_end(phrases, place)
            first = self._find_group_start(phrases, place, items)
            group = read_number_group(
                self._found, phrases[first:last], last_number=self._last_number, is_random=is_random
            )
            if group is None:
                self._doubts.add(Doubt.UNREAD_NUMBER)
                items.append(phrases[place])
                place += 1
                continue
            del items[len(items) - (place - first) :]
            items.append(_Group(first, last, group))
            self._used |= set(range(first, last))
            if group.is_unclear:
                self._doubts.add(Doubt.UNREAD_NUMBER)
            place = last
        return items

    def _find_group_start(
        self, phrases: Sequence[Phrase], place: int, items: Sequence[_Item]
    ) -> int:
        """Return the place of the first phrase that names or opens a group of numbers."""
        first = place
        while first > 0 and isinstance(items[first - place - 1], Phrase) and place - first < 2:  # noqa: PLR2004
            before = phrases[first - 1]
            text = self._found.get_text(before)
            if not (
                Role.NUMBER in before.roles or text in RANGE_OPENINGS or self._is_glued(before)
            ) or self._has_break_after(before):
                break
            if text == "no" and self._has_sign_after(before, ","):
                break
            first -= 1
        return first

    def _find_group_end(self, phrases: Sequence[Phrase], place: int) -> int:
        """Return the place after the last phrase of a group of numbers."""
        last = at = place + 1
        while at < len(phrases):
            phrase = phrases[at]
            text = self._found.get_text(phrase)
            if self._is_number(phrase):
                last = at = at + 1
                continue
            if Role.MANY in phrase.roles and at == last and self._is_number(phrases[at - 1]):
                last = at + 1
            elif self._is_glued(phrase):
                last = at + 1
            elif not (
                text in {"and", "n", "plus", "an", "for", "of", *RANGE_WORDS}
                or (phrase.is_filler and not phrase.intents and text not in {"no"})
                or _CONNECTING & set(phrase.roles) and text != "no"
            ):
                break
            at += 1
        return last

    def _is_glued(self, phrase: Phrase) -> bool:
        tokens = self._found.tokens
        first, last = self._found.get_tokens(phrase)
        return (
            first > 0
            and tokens[first - 1].kind is TokenKind.NUMBER
            and are_adjacent(tokens[first - 1], tokens[first])
        ) or (
            last < len(tokens)
            and tokens[last].kind is TokenKind.NUMBER
            and are_adjacent(tokens[last - 1], tokens[last])
        )

    def _has_break_after(self, phrase: Phrase) -> bool:
        _, last = self._found.get_tokens(phrase)
        return last < len(self._found.tokens) and self._found.tokens[last].kind is TokenKind.BREAK

    def _has_break_before(self, phrase: Phrase) -> bool:
        first, _ = self._found.get_tokens(phrase)
        return first > 0 and self._found.tokens[first - 1].kind is TokenKind.BREAK

    def _has_sign_after(self, phrase: Phrase, sign: str) -> bool:
        _, last = self._found.get_tokens(phrase)
        return last < len(self._found.tokens) and self._found.tokens[last].text == sign

    # ── the wish about numbers ───────────────────────────────────────────────────────────────────

    def _read_wish(self, items: Sequence[_Item]) -> _Wish:
        """Return what is to be done with the groups, by the words around them."""
        wish = _Wish()
        for place, item in enumerate(items):
            if isinstance(item, _Group):
                self._add_group(item, wish)
            elif item.roles:
                self._apply_roles(items, place, item, wish)
        return wish

    def _add_group(self, group: _Group, wish: _Wish) -> None:
        if wish.mode == "drop" and wish.drop and self._has_break_before(self._phrase(group.first)):
            wish.mode = "take"
        match wish.mode:
            case "drop" | "from":
                wish.drop.append(group.numbers)
            case "else":
                wish.otherwise.append(group.numbers)
            case "correct":
                before = wish.take[-1] if wish.take else None
                wish.take = [_inherit_count(group.numbers, before)]
                wish.mode = "take"
            case _:
                wish.take.append(group.numbers)

    def _phrase(self, place: int) -> Phrase:
        return self._found.phrases[place]

    def _apply_roles(
        self, items: Sequence[_Item], place: int, phrase: Phrase, wish: _Wish
    ) -> None:
        roles = phrase.roles
        follows = self._find_next_group(items, place) is not None
        comes_before = place > 0 and any(isinstance(each, _Group) for each in items[:place])
        is_used = True
        if Role.IF_FREE in roles and comes_before:
            pass
        elif Role.ELSE in roles and wish.take:
            wish.mode = "else"
        elif Role.CHANGE in roles and follows:
            wish.mode = "from"
        elif Role.TO in roles and wish.mode == "from" and wish.drop:
            wish.mode = "take"
        elif Role.INSTEAD_OF in roles and Role.DROP not in roles and follows:
            wish.mode = "drop"
        elif Role.OR in roles and wish.take and follows:
            wish.mode = "else"
        elif Role.DROP in roles and follows:
            wish.mode = "drop"
        elif Role.INSTEAD in roles and follows and comes_before:
            wish.mode = "take" if wish.mode in {"drop", "from"} else "correct"
        elif Role.INSTEAD in roles and (comes_before or follows) and (
            self._found.get_text(phrase) not in {"no", "but", "sorry", "wait"}
        ):
            wish.replaces = True
        elif Role.MORE in roles and (follows or comes_before):
            wish.more = True
        elif Role.ADD in roles and (follows or comes_before):
            if wish.mode in {"drop", "else"}:
                wish.mode = "take"
            if self._found.get_text(phrase) not in {"with"}:
                wish.adds = wish.adds or not comes_before or not follows or bool(wish.drop)
        elif roles and set(roles) <= {Role.NUMBER, Role.MANY, Role.FOR_ME, Role.ALL}:
            pass
        else:
            is_used = False
        if is_used:
            self._used.add(self._found.phrases.index(phrase))

    def _find_next_group(self, items: Sequence[_Item], place: int) -> _Group | None:
        """Return the group that follows, unless a word with a role of its own comes before it."""
        for item in items[place + 1 :]:
            if isinstance(item, _Group):
                return item
            if item.roles and not set(item.roles) <= {Role.NUMBER, Role.MANY, Role.ADD, Role.TO}:
                if Role.INSTEAD in item.roles or Role.NUMBER in item.roles or item.is_filler:
                    continue
                return None
        return None

    # ── intents ──────────────────────────────────────────────────────────────────────────────────

    def _read_pattern(self, items: Sequence[_Item]) -> tuple[tuple[str, str], ...]:
        """Return what wanted numbers are like: the digits they end in, odd ones …"""
        pattern: dict[str, str] = {}
        for place, item in enumerate(items):
            if isinstance(item, _Group):
                continue
            after = items[place + 1] if place + 1 < len(items) else None
            for role in item.roles:
                if role in _LIKE_ROLES and isinstance(after, _Group) and after.numbers.is_single:
                    pattern[role.value] = after.numbers.text or str(after.numbers.values[0])
                    self._used.add(self._found.phrases.index(item))
                elif role in _KIND_ROLES:
                    pattern["kind"] = role.value
                    self._used.add(self._found.phrases.index(item))
        return tuple(sorted(pattern.items()))

    def _read_numbers(
        self,
        items: Sequence[_Item],
        groups: Sequence[_Group],
        roles: Collection[Role],
        *,
        is_question: bool,
    ) -> Reading:
        pattern = self._read_pattern(items)
        if pattern:
            return self._build(Intent.LIKE, self._build_wish(items, groups, pattern), pattern)
        if not groups:
            return self._read_words(roles)
        wish = self._read_wish(items)
        numbers = self._build_number_wish(wish)
        intent = self._choose_number_intent(items, roles, numbers, wish, is_question=is_question)
        return self._build(intent, numbers)

    def _build_wish(
        self, items: Sequence[_Item], groups: Sequence[_Group], pattern: Sequence[tuple[str, str]]
    ) -> NumberWish | None:
        """Return the quantity of numbers that are to be like a pattern."""
        digits = {value for name, value in pattern if name != "kind"}
        counts = [
            group.numbers
            for group in groups
            if group.numbers.is_single and str(group.numbers.text) not in digits
        ]
        return NumberWish(take=counts[0]) if len(counts) == 1 else None

    def _build_number_wish(self, wish: _Wish) -> NumberWish:
        take, drop = _merge(wish.take), _merge(wish.drop)
        if take is not None and drop is not None and not take.is_single:
            both = set(take.values) & set(drop.values)
            if both:  # "7, 13 … not 13": what was said before is corrected
                take = _without(take, drop.values)
                rest = tuple(each for each in drop.values if each not in both)
                drop = _with_values(drop, rest) if rest else None
        is_random = any(Intent.RANDOM in phrase.intents for phrase in self._found.phrases)
        return NumberWish(
            take=take,
            drop=drop,
            otherwise=_merge(wish.otherwise),
            adds=wish.adds,
            replaces=wish.replaces,
            more=wish.more,
            is_random=is_random,
            money=self._money[0].value if len(self._money) == 1 else None,
        )

    def _choose_number_intent(
        self,
        items: Sequence[_Item],
        roles: Collection[Role],
        numbers: NumberWish,
        wish: _Wish,
        *,
        is_question: bool,
    ) -> Intent:
        if numbers.take is None and numbers.drop is None:
            return Intent.UNKNOWN
        if self._asks_whether_free(items, roles, numbers, is_question=is_question):
            return Intent.IS_FREE
        if Role.VERIFY in roles or (Role.WON in roles and numbers.drop is None):
            self._use(Role.VERIFY, Role.WON)
            return Intent.VERIFY
        if numbers.otherwise is not None:
            return Intent.EITHER
        if numbers.take is None:
            return Intent.DROP
        if numbers.drop is not None:
            return Intent.SWAP
        return Intent.ADD if numbers.adds or numbers.more else Intent.TAKE

    def _asks_whether_free(
        self,
        items: Sequence[_Item],
        roles: Collection[Role],
        numbers: NumberWish,
        *,
        is_question: bool,
    ) -> bool:
        """Return whether "77 free" is a question, and no condition of taking it."""
        if Role.FREE not in roles or numbers.otherwise is not None or Role.IF_FREE in roles:
            return False
        has_condition = any(
            Doubt.CONDITION in phrase.doubts and phrase.size == 1 and "if" in self._text(phrase)
            for phrase in self._found.phrases
        )
        if has_condition:
            self._use(Role.FREE, Role.IS)
            self._use_condition()
            return False
        self._use(Role.FREE, Role.IS)
        return True

    def _use(self, *roles: Role) -> None:
        self._used |= {
            index
            for index, phrase in enumerate(self._found.phrases)
            if set(phrase.roles) & set(roles)
        }

    def _use_condition(self) -> None:
        self._used |= {
            index
            for index, phrase in enumerate(self._found.phrases)
            if self._text(phrase) in {"if", "only if"}
        }

    def _text(self, phrase: Phrase) -> str:
        return self._found.get_text(phrase)

    def _read_words(self, roles: Collection[Role]) -> Reading:
        """Return the reading of a text without numbers that could be wanted."""
        if self._money:
            wish = NumberWish(money=self._money[0].value if len(self._money) == 1 else None)
            return self._build(Intent.SPEND, wish)
        return self._build(None, None)

    def _build(
        self,
        intent: Intent | None,
        wish: NumberWish | None,
        pattern: tuple[tuple[str, str], ...] = (),
    ) -> Reading:
        """Return the reading, with the intents of the phrases that are not used otherwise."""
        candidates = [
            (phrase.intents[0], index, phrase)
            for index, phrase in enumerate(self._found.phrases)
            if phrase.intents and index not in self._used
        ]
        ranked = self._rank(candidates)
        intents = [each for each, _, _ in ranked]
        if intent is None:
            chosen = intents[0] if intents else Intent.UNKNOWN
        elif intents and _outranks_numbers(intents[0], intent):
            chosen = intents[0]
        else:
            chosen = intent
        others = tuple(
            dict.fromkeys(
                each
                for each in [*( [intent] if intent is not None and intent is not chosen else []), *intents]
                if each is not chosen
            )
        )
        read = {index for each, index, _ in candidates if each is chosen or each in _HARMLESS}
        self._collect_doubts(read)
        if chosen is Intent.UNKNOWN and self._raffle is not None:
            chosen = Intent.CHOOSE_RAFFLE
        return Reading(
            chosen, others, wish=wish, pattern=pattern, doubts=frozenset(self._doubts)
        )

    def _rank(
        self, candidates: Sequence[tuple[Intent, int, Phrase]]
    ) -> list[tuple[Intent, int, Phrase]]:
        """Return the intents, the weightiest first; of two decisions the later one counts."""
        segments = self._number_segments()
        decisions = [
            segments[phrase.first] for each, _, phrase in candidates if each in _DECISIONS
        ]
        latest = max(decisions, default=0)
        kept = [
            (each, index, phrase)
            for each, index, phrase in candidates
            if each not in _DECISIONS or segments[phrase.first] == latest
        ]
        return sorted(kept, key=lambda each: -(WEIGHTS[each[0]] + 3 * each[2].size))

    def _number_segments(self) -> list[int]:
        """Return the line of each word."""
        line, at, lines = 0, 0, list[int]()
        for word in self._found.words:
            while at < word.token:
                line += self._found.tokens[at].kind is TokenKind.BREAK
                at += 1
            lines.append(line)
        return lines

    # ── what is left ─────────────────────────────────────────────────────────────────────────────

    def _collect_doubts(self, read: Collection[int]) -> None:
        """Note why the text may mean something else, by the phrases that are not read."""
        for index, phrase in enumerate(self._found.phrases):
            if index in read or index in self._used:
                if any(word.is_misspelt for word in self._found.words[phrase.first : phrase.last]):
                    self._doubts.add(Doubt.MISSPELT)
                continue
            if self._is_named(phrase):
                continue
            self._doubts |= set(phrase.doubts)
            if not phrase.is_known and not self._is_money(phrase):
                self._doubts.add(Doubt.UNREAD_WORDS)
            if phrase.amount is not None and not self._is_money(phrase):
                self._doubts.add(Doubt.UNREAD_NUMBER)
        if len(self._money) > 1:
            self._doubts.add(Doubt.UNREAD_NUMBER)

    def _is_named(self, phrase: Phrase) -> bool:
        return all(place in self._named_words for place in range(phrase.first, phrase.last))

    def _is_money(self, phrase: Phrase) -> bool:
        return self._found.words[phrase.first].token in self._money_tokens

    def _list_unread(self, phrases: Sequence[Phrase]) -> tuple[str, ...]:
        return tuple(
            self._text(phrase)
            for phrase in phrases
            if not phrase.is_known and not self._is_named(phrase)
        )

    def _list_entities(self, groups: Sequence[_Group]) -> tuple[Entity, ...]:
        tokens = self._found.tokens
        entities = [
            Entity(
                "numbers",
                group.numbers.values,
                tokens[self._found.get_tokens(self._phrase(group.first))[0]].start,
                tokens[self._found.get_tokens(self._phrase(group.last - 1))[1] - 1].end,
            )
            for group in groups
        ]
        entities += [
            Entity(
                "money", money.value, tokens[money.first_token].start, tokens[money.last_token - 1].end
            )
            for money in self._money
        ]
        return tuple(sorted(entities, key=lambda entity: entity.start))


def _inherit_count(numbers: NumberGroup, before: NumberGroup | None) -> NumberGroup:
    """Return numbers that correct others, as a quantity if these were one: "5 tickets, no 6"."""
    if before is None or not (before.is_counted and numbers.is_single):
        return numbers
    return replace(numbers, is_counted=True)


def _merge(groups: Sequence[NumberGroup]) -> NumberGroup | None:
    """Return several groups as one; quantities among them make it doubtful."""
    if len(groups) <= 1:
        return groups[0] if groups else None
    values = tuple(sorted({value for group in groups for value in group.values}))
    return NumberGroup(
        values,
        is_marked=any(group.is_marked for group in groups),
        is_single=len(values) == 1,
        is_plain=all(group.is_plain for group in groups),
        is_doubtful=any(
            group.is_doubtful or group.is_counted or group.is_in_words for group in groups
        ),
        is_unclear=any(group.is_unclear for group in groups),
    )


def _without(group: NumberGroup, values: Collection[int]) -> NumberGroup:
    return _with_values(group, tuple(each for each in group.values if each not in values))


def _with_values(group: NumberGroup, values: tuple[int, ...]) -> NumberGroup:
    return replace(group, values=values)


def _outranks_numbers(intent: Intent, numbers: Intent) -> bool:
    """Return whether words say more than the numbers beside them: "how do i pay the 15"."""
    return intent in QUESTIONS or intent in _STRONG


WEIGHTS: Final[Mapping[Intent, int]] = {
    **dict.fromkeys(Intent, 40),
    Intent.GREETING: 0,
    Intent.FOREIGN_GREETING: 5,
    Intent.THANKS: 3,
    Intent.YES: 10,
    Intent.NO: 10,
    Intent.ADULT: 12,
    Intent.MINOR: 12,
    Intent.LATER: 20,
    Intent.BUY: 22,
    Intent.RANDOM: 30,
    Intent.PICK: 30,
    Intent.OTHER_NUMBERS: 32,
    Intent.KEEP: 50,
    Intent.CANCEL: 45,
    Intent.CAN_CANCEL: 60,
    Intent.PERSON: 55,
    Intent.STOP: 50,
    Intent.MENU: 35,
    Intent.HELP: 33,
}
"""How much an intent weighs against others in the same text, beside the length of its phrase."""

QUESTIONS: Final = frozenset({
    Intent.PRICE, Intent.TOTAL, Intent.PRIZE, Intent.DRAW_DATE, Intent.RULES, Intent.LEFT,
    Intent.WHICH_FREE, Intent.LIMITS, Intent.HOW_TO_PAY, Intent.RECEIPT, Intent.REAL,
    Intent.RESULTS, Intent.REFUND, Intent.CHANGE, Intent.CAN_CANCEL, Intent.MORE_TIME, Intent.LATE,
    Intent.DELIVERY, Intent.PRIVACY, Intent.BOT, Intent.SELLER, Intent.AGE, Intent.LANGUAGE,
    Intent.RAFFLES, Intent.CHANCES, Intent.HELP, Intent.MY_TICKETS,
})  # fmt: skip
"""Intents that are answered and change nothing."""

_STRONG: Final = frozenset({Intent.PERSON, Intent.STOP, Intent.LATER, Intent.PAID, Intent.KEEP})
_HARMLESS: Final = frozenset({Intent.GREETING, Intent.FOREIGN_GREETING, Intent.THANKS})
_DECISIONS: Final = frozenset({
    Intent.CANCEL, Intent.KEEP, Intent.YES, Intent.NO, Intent.LATER, Intent.OTHER_NUMBERS,
    Intent.PAID, Intent.RANDOM, Intent.PICK,
})  # fmt: skip
"""Intents of which a later line takes the earlier one back."""
