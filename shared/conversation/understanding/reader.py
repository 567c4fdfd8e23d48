"""Reader of buyers' texts: words, numbers and names become one reading.

A text is folded and split into tokens, the longest known phrases are found, numbers that stand
together become groups, and the words between the groups say what is to be done with them. What is
left unread is kept: where it may matter, the bot asks and does nothing.

Any phone can send any text. One that is too long is not read at all, apart from a list of ticket
numbers, and everything else is bounded by that length.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from shared.conversation.understanding import doubt_finding, intent_ranking
from shared.conversation.understanding.doubt_finding import (
    BESIDE_NUMBERS,
    NUMBER_WISHES,
    Understood,
)
from shared.conversation.understanding.intent_ranking import HARMLESS, WHOLE_TEXTS, Candidate
from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.numbers import (
    number_group_sums,
    wanted_patterns,
    wish_grammar,
)
from shared.conversation.understanding.numbers.entities import list_entities
from shared.conversation.understanding.numbers.number_groups import find_money
from shared.conversation.understanding.numbers.number_items import NumberItemFinder
from shared.conversation.understanding.numbers.number_list import parse_number_list
from shared.conversation.understanding.numbers.wish_grammar import WishParts
from shared.conversation.understanding.phrases import Phrase, PhraseList, find_phrases
from shared.conversation.understanding.raffle_names import (
    RaffleNames,
    Surroundings,
    replace_seller_names,
)
from shared.conversation.understanding.text_normalization import (
    MAX_WORDS_TEXT,
    collapse_spaces,
    fold_digits,
)
from shared.conversation.understanding.text_readings import (
    NumberGroup,
    NumberWish,
    TextReading,
)
from shared.conversation.understanding.tokens import (
    UNREADABLE,
    fold_text,
    has_sign,
    split_tokens,
)
from shared.conversation.understanding.vocabulary import Doubt, WordRole, load_vocabulary

_NOWHERE: Final = Surroundings()
SHORT_WISH: Final = 2
"""Words of the longest wish for a person that must be the whole text: "a person"."""

_SPACED_LETTERS: Final = re.compile(r"(?:[^\W\d_]\s+){2,}[^\W\d_]")
_MISLEADING_SIGN: Final = re.compile(r"\d ?[%٪‰‱]|\d:\d")
"""Rates and times of the day, wherever they stand."""
_PHONE_NUMBER: Final = re.compile(r"\+ ?\d[\d ()-]{6,}")
_ASKING_FOR: Final = frozenset({
    "do you have", "have you got", "you have", "have you", "got", "you got", "is", "are",
    "do you still have", "still have", "what about", "how about",
})  # fmt: skip
"""Words that ask for a ticket number right before it, if a question mark ends the text."""

_ADDING_SIGNS: Final = ("+", "&")


@lru_cache(maxsize=1_024)  # a message is read where it is answered, and where it is counted
def read_text(text: str, surroundings: Surroundings = _NOWHERE) -> TextReading:
    """Return what a text means.

    Args:
        text: the buyer's text; messages that waited together are its lines.
        surroundings: the names and numbers it may refer to.

    """
    vocabulary = load_vocabulary()
    folded = fold_text(text, emoji=vocabulary.emoji, limit=MAX_WORDS_TEXT)
    if not folded:
        return _read_long_list(text, surroundings)
    if _SPACED_LETTERS.fullmatch(folded.strip(" .!")):  # "m e n u"
        folded = "".join(folded.split())
    names = RaffleNames(surroundings)
    tokens = replace_seller_names(split_tokens(folded), surroundings.sellers)
    found = find_phrases(tokens, names=names.words)
    return _Reader(found, folded, surroundings, names).read()


def _read_long_list(text: str, surroundings: Surroundings) -> TextReading:
    """Return the reading of a text that is too long for words: ticket numbers or nothing."""
    lines = fold_digits(text).splitlines()
    numbers = parse_number_list(
        collapse_spaces("; ".join(lines)), last_number=surroundings.last_number
    )
    if numbers is None or numbers.has_other_words:
        return TextReading(Intent.UNKNOWN, core_words=1 if text.strip() else 0)
    group = NumberGroup(
        numbers.values,
        is_marked=numbers.is_marked,
        is_single=numbers.is_single,
        is_plain=numbers.is_plain,
        is_doubtful=numbers.is_doubtful,
        is_unclear=numbers.is_unclear,
    )
    doubts = frozenset({Doubt.UNREAD_NUMBER}) if numbers.is_unclear else frozenset[Doubt]()
    return TextReading(Intent.TAKE, wish=NumberWish(take=group), doubts=doubts)


class _Reader:
    """Reads one text."""

    def __init__(
        self, found: PhraseList, folded: str, surroundings: Surroundings, names: RaffleNames
    ) -> None:
        self._found = found
        self._folded = folded
        self._named = names.find(found)
        self._money = find_money(found)
        self._amount = self._money[0].value if len(self._money) == 1 else None
        self._money_tokens = {
            token for money in self._money for token in range(money.first_token, money.last_token)
        }
        self._finder = NumberItemFinder(
            found,
            money_tokens=self._money_tokens,
            named_words=self._named.words,
            last_number=surroundings.last_number,
        )
        self._items = self._finder.find(is_unreadable=UNREADABLE in folded)
        self._doubts: set[Doubt] = set()
        self._phrases_of_intent: set[int] = set()
        self._contrary: list[Intent] = []
        self._used: set[int] = {
            place for group in self._items.groups for place in range(group.first, group.last)
        }
        """Phrases by index that say what to do with numbers, so that they are read."""

    def read(self) -> TextReading:
        """Return the reading."""
        is_unclear = any(group.numbers.is_unclear for group in self._items.groups)
        is_misleading = UNREADABLE in self._folded or _MISLEADING_SIGN.search(self._folded)
        if is_misleading or self._items.has_unreadable or is_unclear:
            self._doubts.add(Doubt.UNREAD_NUMBER)
        pattern, pattern_words = wanted_patterns.read_pattern(self._found, self._items)
        self._used |= pattern_words
        intent, wish = self._read_wish(pattern)
        chosen, others = self._choose_intents(intent)
        is_question = has_sign(self._found.tokens, "?") or self._begins_as_question()
        self._doubts |= self._find_doubts(chosen, self._contrary, is_question=is_question)
        phrases = self._found.phrases
        return TextReading(
            chosen,
            others,
            wish=wish,
            pattern=pattern,
            raffle=self._named.index,
            doubts=frozenset(self._doubts),
            unread=self._list_unread(phrases),
            entities=list_entities(self._found, self._items.groups, self._money),
            is_question=is_question,
            core_words=sum(
                phrase.size for phrase in phrases if not phrase.is_filler and not phrase.amount
            ),
        )

    def _begins_as_question(self) -> bool:
        """Return whether the first word that says something is one of a question."""
        words = load_vocabulary()
        for phrase in self._found.phrases:
            if not set(phrase.intents).isdisjoint(HARMLESS):
                continue
            return not phrase.intents and (
                self._found.words[phrase.first].text in words.question_words
            )
        return False

    # ── numbers ──────────────────────────────────────────────────────────────────────────────────

    def _read_wish(
        self, pattern: tuple[tuple[str, str], ...]
    ) -> tuple[Intent | None, NumberWish | None]:
        """Return what the numbers of the text say, and what is to be done with them."""
        if pattern:
            return Intent.LIKE, wanted_patterns.build_wish(pattern, self._items)
        if not self._items.groups:
            if not self._money:
                return None, None
            return Intent.SPEND, NumberWish(money=self._amount, is_worth=self._is_worth())
        adds = self._folded.lstrip().startswith(_ADDING_SIGNS)
        parts = wish_grammar.read_wish(self._found, self._items, adds=adds)
        self._used |= parts.used
        wish = self._build_wish(parts)
        return self._choose_number_intent(parts, wish), wish

    def _build_wish(self, parts: WishParts) -> NumberWish:
        take = wish_grammar.merge_shares(parts)
        drop = number_group_sums.merge_groups(parts.drop)
        otherwise = number_group_sums.merge_groups(parts.otherwise)
        if take is not None and drop is not None:
            if take.is_single and set(take.values) <= set(drop.values):  # "13, not 13"
                self._doubts.add(Doubt.CONTRADICTION)
            if take.is_counted and not drop.is_marked:
                drop = None  # "5 tickets, not 3"
            else:
                take, drop = number_group_sums.subtract(take, drop)
        if take is None and otherwise is not None:  # "61, else 7 off"
            self._doubts.add(Doubt.CONTRADICTION)
            take, otherwise = otherwise, None
        if take is not None and otherwise is not None and parts.replaced is not None:
            otherwise = number_group_sums.replace_numbers(take, parts.replaced, otherwise)
        is_random = self._means(Intent.RANDOM) or (parts.shares > 0 and self._means(Intent.PICK))
        changes = parts.changes or self._means(Intent.OTHER_NUMBERS, Intent.KEEP)
        if parts.has_alternative and (otherwise is None or changes):  # "7, otherwise random"
            self._doubts.add(Doubt.CONDITION)
            is_random = False
        if parts.is_open and not (take is not None and take.is_marked):  # "1 or 2"
            self._doubts.add(Doubt.CONDITION)
        if parts.is_contradictory:  # "do not drop 7"
            self._doubts.add(Doubt.CONTRADICTION)
        if parts.if_free and take is not None and take.is_single and not take.is_counted:
            take = replace(take, is_marked=True)
        return NumberWish(
            take=take,
            drop=drop,
            otherwise=otherwise,
            adds=parts.adds,
            replaces=parts.replaces,
            more=parts.more,
            is_random=is_random,
            money=self._amount,
            is_worth=self._is_worth(),
        )

    def _means(self, *intents: Intent) -> bool:
        return any(not set(phrase.intents).isdisjoint(intents) for phrase in self._found.phrases)

    def _is_worth(self) -> bool:
        """Return whether numbers for an amount of money are asked for: "$20 worth"."""
        if any(WordRole.WORTH in phrase.roles for phrase in self._found.phrases):
            self._use(WordRole.WORTH)
            return True
        firsts = {money.first_token for money in self._money}
        return any(
            word.text in {"for", "spend"} and word.token + 1 in firsts for word in self._found.words
        )

    def _choose_number_intent(self, parts: WishParts, wish: NumberWish) -> Intent:
        if wish.take is None and wish.drop is None:
            return Intent.UNKNOWN
        if self._money and (wish.take is None or self._has(WordRole.WORTH)):
            return Intent.SPEND
        if self._asks_whether_free(wish):
            return Intent.IS_FREE
        won = self._has(WordRole.WON) and wish.drop is None and not wish.more
        if self._means(Intent.VERIFY) or self._has(WordRole.VERIFY) or won:
            self._use(WordRole.VERIFY, WordRole.WON)
            return Intent.VERIFY
        if wish.otherwise is not None:
            return Intent.EITHER
        if wish.take is None:
            changes = parts.changes or self._means(Intent.OTHER_NUMBERS)
            return Intent.SWAP if changes else Intent.DROP
        if wish.drop is not None:
            return Intent.SWAP
        return Intent.ADD if wish.adds or wish.more else Intent.TAKE

    def _asks_whether_free(self, wish: NumberWish) -> bool:
        """Return whether "77 free" is a question, and no condition of taking it."""
        if not (self._has(WordRole.FREE) or self._asks_for_one()):
            return False
        self._use(WordRole.FREE, WordRole.IS)
        conditions = {
            index
            for index, phrase in enumerate(self._found.phrases)
            if self._found.get_text(phrase) in {"if", "only if"} and index not in self._used
        }
        is_single = wish.take is not None and wish.take.is_single
        if is_single or wish.otherwise is not None:
            self._used |= conditions
        return not conditions and wish.otherwise is None and not self._has(WordRole.IF_FREE)

    def _asks_for_one(self) -> bool:
        """Return whether a text asks for a ticket number: "do you have 480?"."""
        if not has_sign(self._found.tokens, "?") or len(self._items.groups) != 1:
            return False
        [group] = self._items.groups
        before = self._found.phrases[group.first - 1] if group.first else None
        asks = before is not None and self._found.get_text(before) in _ASKING_FOR
        return asks and not (group.numbers.is_in_words or group.numbers.is_counted)

    def _has(self, role: WordRole) -> bool:
        return any(role in phrase.roles for phrase in self._found.phrases)

    def _use(self, *roles: WordRole) -> None:
        self._used |= {
            index
            for index, phrase in enumerate(self._found.phrases)
            if not set(phrase.roles).isdisjoint(roles)
        }

    # ── intents ──────────────────────────────────────────────────────────────────────────────────

    def _choose_intents(self, numbers: Intent | None) -> tuple[Intent, tuple[Intent, ...]]:
        """Return what is meant, and what else; `numbers` is what the numbers of the text say."""
        if self._named.is_whole and numbers is None:
            return Intent.CHOOSE_RAFFLE, ()
        candidates = [
            Candidate(phrase.intents[0], index, phrase)
            for index, phrase in enumerate(self._found.phrases)
            if phrase.intents and index not in self._used
        ]
        whole = self._leave_out_parts(candidates, has_numbers=numbers is not None)
        ranked = [each.intent for each in intent_ranking.rank_intents(whole, self._found)]
        best = ranked[0] if ranked else Intent.UNKNOWN
        chosen = best
        if numbers is not None and not (
            ranked and intent_ranking.counts_more_than_numbers(best, numbers)
        ):
            chosen = numbers
        also = [*([numbers] if numbers is not None else []), *ranked]
        others = tuple(dict.fromkeys(each for each in also if each is not chosen))
        if chosen is Intent.UNKNOWN and self._named.index is not None:
            chosen = Intent.CHOOSE_RAFFLE
        read = {chosen, *HARMLESS, *(BESIDE_NUMBERS if chosen in NUMBER_WISHES else ())}
        self._phrases_of_intent = {each.index for each in candidates if each.intent in read}
        self._contrary = self._list_contrary(candidates, chosen)
        return chosen, others

    def _list_contrary(self, candidates: Sequence[Candidate], chosen: Intent) -> list[Intent]:
        """Return what may contradict the intent: for numbers, what is said with or after them."""
        if chosen not in NUMBER_WISHES or not self._items.groups:
            return [each.intent for each in candidates if each.intent is not chosen]
        lines = intent_ranking.number_lines(self._found)
        last = lines[self._found.phrases[self._items.groups[-1].first].first]
        return [each.intent for each in candidates if lines[each.phrase.first] >= last]

    def _leave_out_parts(
        self, candidates: Sequence[Candidate], *, has_numbers: bool
    ) -> Sequence[Candidate]:
        """Return the intents without those that are meant only by a whole text, if it is none."""
        kept = list(candidates)
        for each in candidates:
            is_short = each.intent is Intent.PERSON and each.phrase.size <= SHORT_WISH
            if not (each.intent in WHOLE_TEXTS or is_short):
                continue
            others = doubt_finding.find_other_phrases(self._found, {each.intent})
            if others or has_numbers or self._found.has_corrections:
                kept.remove(each)
        return kept

    # ── what is left ─────────────────────────────────────────────────────────────────────────────

    def _find_doubts(
        self, chosen: Intent, others: Sequence[Intent], *, is_question: bool
    ) -> set[Doubt]:
        """Return why the text may mean something else."""
        understood = Understood(
            chosen,
            others,
            phrases=self._phrases_of_intent,
            used=self._used,
            named=self._named.words,
            money_tokens=self._money_tokens,
        )
        unread_numbers = [
            index
            for index, phrase in enumerate(self._found.phrases)
            if phrase.amount is not None and self._finder.is_number(phrase)
        ]
        doubts = doubt_finding.find_doubts(
            self._found,
            understood,
            groups=self._items.groups,
            unread_numbers=unread_numbers,
            is_question=is_question,
        )
        is_beside_money = bool(self._money) and chosen in NUMBER_WISHES - {Intent.SPEND}
        if len(self._money) > 1 or is_beside_money or _PHONE_NUMBER.search(self._folded):
            doubts.add(Doubt.UNREAD_NUMBER)
        return doubts | ({Doubt.NEGATION} if self._named.is_refused else set())

    def _is_named(self, phrase: Phrase) -> bool:
        return all(place in self._named.words for place in range(phrase.first, phrase.last))

    def _list_unread(self, phrases: Sequence[Phrase]) -> tuple[str, ...]:
        return tuple(
            self._found.get_text(phrase)
            for phrase in phrases
            if not phrase.is_known and not self._is_named(phrase)
        )
