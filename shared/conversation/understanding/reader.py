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
    JOINING_WORDS,
    KEPT_WORDS,
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
    Token,
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
        sellers: how their sellers are reached; a name among it stands for "the seller".
        last_number: the last ticket number of the raffle that is meant; None: unknown.

    """

    titles: tuple[str, ...] = ()
    prizes: tuple[str, ...] = ()
    sellers: tuple[str, ...] = ()
    last_number: int | None = None


@lru_cache(maxsize=1_024)  # a message is read where it is answered, and where it is counted
def read_text(text: str, surroundings: Surroundings = Surroundings()) -> Reading:
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
    tokens = _replace_seller_names(split_tokens(folded), surroundings.sellers)
    found = find_phrases(tokens, names=names.words)
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


def _replace_seller_names(tokens: Sequence[Token], sellers: Sequence[str]) -> list[Token]:
    """Return the tokens with "seller" for the name of one: "can I talk to Ana"."""
    known = load_vocabulary().words
    names = {
        word
        for seller in sellers
        for word in normalize_text(seller).split()
        if word.isalpha() and len(word) > 2 and word not in known  # noqa: PLR2004 - initials
    }
    return [
        replace(token, text="seller")
        if token.kind is TokenKind.WORD and token.text.removesuffix("s") in names
        else token
        for token in tokens
    ]


# ── names of raffles ─────────────────────────────────────────────────────────────────────────────


class _NameFinder:
    """Finds the raffle that a text names, by its title or prize or by a word that only it has."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._titles = [normalize_text(title).split() for title in surroundings.titles]
        prizes = [normalize_text(prize).split() for prize in surroundings.prizes]
        prizes += [[]] * (len(self._titles) - len(prizes))
        own = [{*title, *prize} for title, prize in zip(self._titles, prizes, strict=False)]
        self._own = [
            {
                word
                for word in words
                if len(word) >= MIN_NAME_LETTERS
                and word not in _NO_NAMES
                and not any(word in others for at, others in enumerate(own) if at != index)
            }
            for index, words in enumerate(own)
        ]
        self.words: frozenset[str] = frozenset().union(*self._own) if self._own else frozenset()

    def find(self, found: PhraseList) -> tuple[int | None, set[int]]:
        """Return the index of the raffle that is named, and the words that name it.

        "Not winter" names the other of two, and of several the one after a correction counts.
        """
        texts = [word.text for word in found.words]
        named = self._find_titles(texts) or self._find_own_words(texts)
        places = set().union(*named.values()) if named else set[int]()
        refused = {
            index
            for index, at in named.items()
            if any(text in {"not", "without"} for text in texts[max(0, min(at) - 2) : min(at)])
        }
        wanted = [index for index in named if index not in refused]
        if len(wanted) > 1 and any(Role.INSTEAD in phrase.roles for phrase in found.phrases):
            wanted = [max(wanted, key=lambda index: min(named[index]))]
        if not wanted and refused and len(self._titles) - len(refused) == 1:
            wanted = [index for index in range(len(self._titles)) if index not in refused]
        return (wanted[0] if len(wanted) == 1 else None), places

    def _find_titles(self, texts: Sequence[str]) -> dict[int, set[int]]:
        """Return the words of whole titles by the index of the raffle."""
        found: dict[int, set[int]] = {}
        for index, title in enumerate(self._titles):
            for at in range(len(texts) - len(title) + 1 if title else 0):
                if texts[at : at + len(title)] == title:
                    found.setdefault(index, set()).update(range(at, at + len(title)))
        return found

    def _find_own_words(self, texts: Sequence[str]) -> dict[int, set[int]]:
        """Return the words that only one raffle has, by its index."""
        found: dict[int, set[int]] = {}
        for place, text in enumerate(texts):
            for index, own in enumerate(self._own):
                if len(text) >= MIN_NAME_LETTERS and any(
                    fuzz.ratio(word, text) >= SIMILARITY_THRESHOLD for word in own
                ):
                    found.setdefault(index, set()).add(place)
        return found


_NO_NAMES: Final = frozenset({
    "raffle", "raffles", "draw", "ticket", "tickets", "number", "numbers", "prize", "prizes", "with",
    "this", "that", "from", "free", "more", "best", "good", "great", "first", "last", "next", "money",
    "cash", "lucky", "random", "weekend", "week", "month", "year", "some", "your", "every", "what",
})  # fmt: skip
"""Words of titles and prizes that are said of anything."""

# ── one text ─────────────────────────────────────────────────────────────────────────────────────

_CONNECTING: Final = frozenset({Role.NUMBER, Role.MANY, Role.EACH_OF_TWO, Role.CURRENCY})
_LIKE_ROLES: Final = (Role.ENDING, Role.STARTING, Role.CONTAINING)
_KIND_ROLES: Final = (Role.ODD, Role.EVEN, Role.LOW, Role.HIGH)
_PRONOUN_BEFORE_ONE: Final = frozenset({
    "the", "this", "that", "which", "another", "other", "each", "any", "every", "wrong", "same",
    "first", "last", "second", "third", "what", "good", "new", "nice", "no", "right", "cheap",
})  # fmt: skip

_BEFORE_PRONOUN: Final = frozenset({"other", "those", "these", "both", "all", "last", "first"})


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
    if_free: bool = False
    has_alternative: bool = False
    is_open: bool = False
    changes: bool = False
    shares: int = 0


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
        if phrase.is_in_words and phrase.first > 0:
            before = self._found.words[phrase.first - 1].text
            if before in _BEFORE_PRONOUN:
                return False  # "the other two", "those three"
            if self._text(phrase) == "one" and (
                before in _PRONOUN_BEFORE_ONE or phrase.first - 1 in self._named_words
            ):
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
            if UNREADABLE in self._folded:
                group = replace(group, is_unclear=True)
            if group.is_unclear:
                self._doubts.add(Doubt.UNREAD_NUMBER)
            del items[len(items) - (place - first) :]
            items.append(_Group(first, last, group))
            self._used |= set(range(first, last))
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
                Role.NUMBER in before.roles
                or text in RANGE_OPENINGS
                or self._is_glued(before)
                or (text == "n" and self._has_sign_after(before, "°"))
            ) or self._has_break_after(before):
                break
            if text == "no" and (
                self._has_sign_after(before, ",") or any(isinstance(each, _Group) for each in items)
            ):
                break
            first -= 1
        return first

    def _find_group_end(self, phrases: Sequence[Phrase], place: int) -> int:
        """Return the place after the last phrase of a group of numbers."""
        last = at = place + 1
        changes = any(
            Role.CHANGE in phrase.roles or Intent.CHANGE in phrase.intents
            for phrase in phrases[:place]
        )
        drops = self._drops_before(phrases, place)
        while at < len(phrases):
            phrase = phrases[at]
            text = self._found.get_text(phrase)
            if self._has_break_before(phrase) and text not in RANGE_WORDS:
                break
            if drops and at == last and self._is_comma_pair(phrases, at):
                break
            if (
                (changes and Role.TO in phrase.roles)
                or text in _WANTING
                or (Role.ADD in phrase.roles and text not in JOINING_WORDS)
            ):
                break
            if self._is_number(phrase):
                last = at = at + 1
                continue
            if (
                Role.MANY in phrase.roles and at == last and self._is_number(phrases[at - 1])
            ) or self._is_glued(phrase):
                last = at + 1
            elif not (
                text in {*JOINING_WORDS, *KEPT_WORDS, *RANGE_WORDS}
                or (phrase.is_filler and not phrase.intents and text not in {"no"})
                or (_CONNECTING & set(phrase.roles) and text != "no")
            ):
                break
            at += 1
        return last

    def _drops_before(self, phrases: Sequence[Phrase], place: int) -> bool:
        """Return whether the last word with a role before a place says that numbers are unwanted."""
        with_roles = [
            phrase for phrase in phrases[:place] if phrase.roles and Role.NUMBER not in phrase.roles
        ]
        return bool(with_roles) and Role.DROP in with_roles[-1].roles

    def _is_comma_pair(self, phrases: Sequence[Phrase], at: int) -> bool:
        """Return whether a comma and the last number of the text follow: "not 13, 14"."""
        rest = [phrase for phrase in phrases[at:] if self._is_number(phrase)]
        return len(rest) == 1 and self._has_sign_after(phrases[at - 1], ",")

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
        wish = _Wish(adds=self._folded.lstrip().startswith(("+", "&")))
        for place, item in enumerate(items):
            if isinstance(item, _Group):
                self._add_group(item, wish)
            elif item.roles or item.intents:
                self._apply_roles(items, place, item, wish)
            elif wish.mode == "drop" and wish.drop and self._text(item) in _WANTING:
                wish.mode = "take"
        return wish

    def _add_group(self, group: _Group, wish: _Wish) -> None:
        first = self._phrase(group.first)
        if (
            wish.mode == "drop"
            and wish.drop
            and (
                self._has_break_before(first)
                or (group.first and self._has_sign_after(self._phrase(group.first - 1), ","))
                or Role.NUMBER in first.roles
            )
        ):
            wish.mode = "take"
        match wish.mode:
            case "drop" | "from":
                wish.drop.append(group.numbers)
            case "else":
                wish.otherwise.append(group.numbers)
            case "correct":
                wish.take = _correct(wish.take, group.numbers)
                wish.mode = "take"
            case _:
                wish.take.append(group.numbers)

    def _phrase(self, place: int) -> Phrase:
        return self._found.phrases[place]

    def _apply_roles(self, items: Sequence[_Item], place: int, phrase: Phrase, wish: _Wish) -> None:
        roles = phrase.roles
        follows = self._find_next_group(items, place) is not None
        comes_before = place > 0 and any(isinstance(each, _Group) for each in items[:place])
        text = self._text(phrase)
        is_used = True
        if Role.IF_FREE in roles and (comes_before or follows):
            wish.if_free = True
        elif Role.ELSE in roles and wish.take:
            wish.mode = "else"
            wish.has_alternative = True
        elif (Role.CHANGE in roles or Intent.CHANGE in phrase.intents) and follows:
            wish.mode = "from"
            wish.changes = True
        elif Role.DROP_AFTER in roles and comes_before and not follows and wish.take:
            wish.drop, wish.take = [*wish.drop, wish.take[-1]], wish.take[:-1]
        elif (Intent.BUY in phrase.intents and wish.mode == "drop" and wish.drop and follows) or (
            Role.TO in roles and wish.mode == "from" and wish.drop
        ):
            wish.mode = "take"
        elif Role.INSTEAD_OF in roles and Role.DROP not in roles and follows:
            wish.mode = "drop"
        elif Role.OR in roles and wish.take and follows:
            wish.mode = "else"
            wish.is_open = True
        elif Role.DROP in roles and follows:
            wish.mode = "drop"
        elif Role.INSTEAD in roles and follows and comes_before:
            wish.mode = "take" if wish.mode in {"drop", "from"} else "correct"
        elif (
            Role.INSTEAD in roles
            and (comes_before or follows)
            and (
                text not in {"no", "sorry", "wait"} or (follows and self._wants_after(items, place))
            )
        ):
            wish.replaces = True
        elif Role.FOR_ME in roles and comes_before:
            wish.shares += 1
        elif Role.MORE in roles and (follows or comes_before):
            wish.more = True
        elif Role.ADD in roles and (follows or comes_before):
            if wish.mode in {"drop", "else"}:
                wish.mode = "take"
            wish.adds = wish.adds or not comes_before or not follows or bool(wish.drop)
        elif roles and set(roles) <= {Role.NUMBER, Role.MANY, Role.ALL, Role.WORTH}:
            pass
        else:
            is_used = False
        if is_used:
            self._used.add(self._found.phrases.index(phrase))

    def _wants_after(self, items: Sequence[_Item], place: int) -> bool:
        """Return whether "i want" or "give me" follows: "no i want 8"."""
        after = items[place + 1] if place + 1 < len(items) else None
        return isinstance(after, Phrase) and (
            Intent.BUY in after.intents or self._text(after) in _WANTING | {"i"}
        )

    def _find_next_group(self, items: Sequence[_Item], place: int) -> _Group | None:
        """Return the group that follows, unless a word with a role of its own comes before it."""
        for item in items[place + 1 :]:
            if isinstance(item, _Group):
                return item
            if item.roles and not set(item.roles) <= {Role.NUMBER, Role.MANY, Role.ADD, Role.TO}:
                if Role.INSTEAD in item.roles or Role.NUMBER in item.roles or item.is_filler:
                    continue
                if Intent.BUY in item.intents:
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
            return self._read_words()
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
        take, drop = _merge_shares(wish), _merge(wish.drop)
        if take is not None and drop is not None and take.is_counted and not drop.is_marked:
            drop = None  # "5 tickets, not 3"
        if take is not None and drop is not None and not take.is_single:
            both = set(take.values) & set(drop.values)
            if both:  # "7, 13 … not 13": what was said before is corrected
                take = _without(take, drop.values)
                rest = tuple(each for each in drop.values if each not in both)
                drop = _with_values(drop, rest) if rest else None
        otherwise = _merge(wish.otherwise)
        is_random = any(Intent.RANDOM in phrase.intents for phrase in self._found.phrases)
        if wish.has_alternative and (otherwise is None or wish.changes):
            self._doubts.add(Doubt.CONDITION)  # "7, otherwise random"
            is_random = False
        if wish.is_open and not (take is not None and take.is_marked):  # "1 or 2"
            self._doubts.add(Doubt.CONDITION)
        if wish.if_free and take is not None and take.is_single and not take.is_counted:
            take = replace(take, is_marked=True)
        return NumberWish(
            take=take,
            drop=drop,
            otherwise=otherwise,
            adds=wish.adds,
            replaces=wish.replaces,
            more=wish.more,
            is_random=is_random,
            money=self._money[0].value if len(self._money) == 1 else None,
            is_worth=self._is_worth(),
        )

    def _is_worth(self) -> bool:
        """Return whether numbers for an amount of money are asked for."""
        if any(Role.WORTH in phrase.roles for phrase in self._found.phrases):
            self._use(Role.WORTH)
            return True
        firsts = {money.first_token for money in self._money}
        return any(
            word.text in {"for", "spend"} and word.token + 1 in firsts for word in self._found.words
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
        if self._money and (numbers.take is None or Role.WORTH in roles):
            return Intent.SPEND
        if self._asks_whether_free(items, roles, numbers, is_question=is_question):
            return Intent.IS_FREE
        if Role.VERIFY in roles or (Role.WON in roles and numbers.drop is None):
            self._use(Role.VERIFY, Role.WON)
            return Intent.VERIFY
        if numbers.otherwise is not None:
            return Intent.EITHER
        if numbers.take is None:
            return Intent.SWAP if wish.changes else Intent.DROP
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
        if Role.FREE not in roles:
            return False
        if numbers.otherwise is not None or Role.IF_FREE in roles:
            self._use(Role.FREE, Role.IS)
            self._use_condition()
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

    def _read_words(self) -> Reading:
        """Return the reading of a text without numbers that could be wanted."""
        if self._money:
            wish = NumberWish(
                money=self._money[0].value if len(self._money) == 1 else None,
                is_worth=self._is_worth(),
            )
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
        ranked = self._rank(
            self._without_partial_wishes(candidates, has_numbers=intent is not None)
        )
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
                for each in [
                    *([intent] if intent is not None and intent is not chosen else []),
                    *intents,
                ]
                if each is not chosen
            )
        )
        read = {index for each, index, _ in candidates if each is chosen or each in _HARMLESS}
        self._collect_doubts(read)
        if chosen is Intent.UNKNOWN and self._raffle is not None:
            chosen = Intent.CHOOSE_RAFFLE
        return Reading(chosen, others, wish=wish, pattern=pattern, doubts=frozenset(self._doubts))

    def _without_partial_wishes(
        self, candidates: Sequence[tuple[Intent, int, Phrase]], *, has_numbers: bool
    ) -> Sequence[tuple[Intent, int, Phrase]]:
        """Return the intents without STOP and START where these are a part of a sentence."""
        others = {each for each, _, _ in candidates} - _HARMLESS - _WHOLE_TEXTS
        unread = [
            phrase
            for index, phrase in enumerate(self._found.phrases)
            if index not in self._used
            and not (phrase.is_known and phrase.is_filler)
            and not phrase.intents
        ]
        is_whole = not (others - {Intent.YES, Intent.NO} or unread or has_numbers)
        if is_whole and not self._found.has_corrections:
            return candidates
        if any(each in _WHOLE_TEXTS for each, _, _ in candidates):
            self._doubts.add(Doubt.NEGATION)
        return [each for each in candidates if each[0] not in _WHOLE_TEXTS]

    def _rank(
        self, candidates: Sequence[tuple[Intent, int, Phrase]]
    ) -> list[tuple[Intent, int, Phrase]]:
        """Return the intents, the weightiest first; of two decisions the later one counts."""
        segments = self._number_segments()
        decisions = [segments[phrase.first] for each, _, phrase in candidates if each in _DECISIONS]
        latest = max(decisions, default=0)
        kept = [
            (each, index, phrase)
            for each, index, phrase in candidates
            if each not in _DECISIONS or segments[phrase.first] == latest
        ]
        return sorted(kept, key=lambda each: -(WEIGHTS[each[0]] + 3 * each[2].size))

    def _number_segments(self) -> list[int]:
        """Return the line of each word; a correction such as "i meant" begins another one."""
        corrections = {
            phrase.first
            for phrase in self._found.phrases
            if Role.INSTEAD in phrase.roles and self._text(phrase) not in {"no", "instead"}
        }
        line, at, lines = 0, 0, list[int]()
        for index, word in enumerate(self._found.words):
            while at < word.token:
                line += self._found.tokens[at].kind is TokenKind.BREAK
                at += 1
            line += index in corrections
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
            if phrase.amount is not None and self._is_number(phrase):
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
                "money",
                money.value,
                tokens[money.first_token].start,
                tokens[money.last_token - 1].end,
            )
            for money in self._money
        ]
        return tuple(sorted(entities, key=lambda entity: entity.start))


def _correct(before: Sequence[NumberGroup], numbers: NumberGroup) -> list[NumberGroup]:
    """Return the groups with the last number corrected: "7 and 13, sorry i meant 17"."""
    last = before[-1] if before else None
    if last is None or not numbers.is_single:
        return [numbers]
    if last.is_counted:
        return [*before[:-1], replace(numbers, is_counted=True)]
    if last.is_single or last.last is None or len(last.values) > _MAX_LIST_TO_CORRECT:
        return [*before[:-1], numbers]
    kept = tuple(value for value in last.values if value != last.last)
    return [*before[:-1], replace(last, values=kept, last=None), numbers]


_MAX_LIST_TO_CORRECT: Final = 20
"""Numbers of a list of which the last one may be corrected; a range is longer."""


def _merge_shares(wish: _Wish) -> NumberGroup | None:
    """Return the wanted numbers; "3 for me and 2 for my mom" are five."""
    groups = wish.take
    if (
        len(groups) > 1
        and wish.shares >= len(groups)
        and all(group.is_single and not group.is_marked for group in groups)
    ):
        total = sum(group.values[0] for group in groups)
        return NumberGroup((total,), is_single=True, is_counted=True, last=total)
    return _merge(groups)


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
    if numbers in {Intent.LIKE, Intent.IS_FREE, Intent.VERIFY, Intent.EITHER}:
        return intent in _STRONG
    return intent in (QUESTIONS - {Intent.MY_TICKETS}) or intent in _STRONG


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
    Intent.KEEP: 28,
    Intent.GIVE_UP: 14,
    Intent.CANCEL: 45,
    Intent.CAN_CANCEL: 60,
    Intent.PERSON: 41,
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

_STRONG: Final = frozenset({Intent.PERSON, Intent.STOP, Intent.PAID, Intent.KEEP})
_WANTING: Final = frozenset({"want", "take", "give", "get", "prefer", "put"})
_WHOLE_TEXTS: Final = frozenset({Intent.STOP, Intent.START})
"""Intents that are meant only by a text that says nothing else."""

_HARMLESS: Final = frozenset({Intent.GREETING, Intent.FOREIGN_GREETING, Intent.THANKS})
_DECISIONS: Final = frozenset({
    Intent.CANCEL, Intent.KEEP, Intent.YES, Intent.NO, Intent.LATER, Intent.OTHER_NUMBERS,
    Intent.PAID, Intent.RANDOM, Intent.PICK,
})  # fmt: skip
"""Intents of which a later line takes the earlier one back."""
