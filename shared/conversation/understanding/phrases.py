"""Phrases of a text: the longest pattern of the vocabulary at each place, and amounts in words."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import groupby
from typing import Final

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.tokens import Token, TokenKind, are_adjacent
from shared.conversation.understanding.vocabulary import (
    Doubt,
    Filler,
    Vocabulary,
    WordMeaning,
    WordRole,
    load_vocabulary,
)

MIN_FUZZY_LETTERS: Final = 4
"""Letters of the shortest word that is taken for a misspelling."""

MAX_TYPOS: Final = 2
"""Letters by which a long word may differ; a short one by one."""

LONG_WORD: Final = 7
"""Letters from which a word may differ by two."""

NAME_SIMILARITY: Final = 84
"""The similarity, out of 100, from which a word counts as one of a raffle's name."""

MAX_AMOUNT_WORDS: Final = 3
_HYPHENS: Final = frozenset("-‐‑")
DESTRUCTIVE_WORDS: Final = frozenset(
    {"cancel", "stop", "unsubscribe", "delete", "release", "refund"}
)
"""Words that are never taken for the near miss of another one without a question."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it is compared; "whats" becomes two of the same token.

    Attributes:
        text: the word, corrected if it was misspelt.
        token: the index of its token.
        is_misspelt: whether a word that destroys is only nearly written.
        is_corrected: whether it is nearly another word, and that was taken for it.
        is_joined: whether no more than a hyphen stands between it and the word before.

    """

    text: str
    token: int
    is_misspelt: bool = False
    is_corrected: bool = False
    is_joined: bool = True


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words with a meaning.

    Attributes:
        first: the index of the first word.
        last: the index after the last word.
        intents: what a buyer means who says this.
        roles: what it says of numbers beside it.
        doubts: why the text may mean something else.
        amount: a number, in digits or words; None: it is none.
        is_filler: whether it has no meaning of its own.
        is_known: whether it is in the vocabulary.
        is_in_words: whether the number is written in words.

    """

    first: int
    last: int
    intents: tuple[Intent, ...] = ()
    roles: tuple[WordRole, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    amount: int | None = None
    is_filler: bool = False
    is_known: bool = True
    is_in_words: bool = False

    @property
    def size(self) -> int:
        """The count of its words."""
        return self.last - self.first


@dataclass(slots=True)
class PhraseList:
    """The phrases of a text with the words and tokens they are made of."""

    tokens: Sequence[Token]
    words: list[Word] = field(default_factory=list)
    phrases: list[Phrase] = field(default_factory=list)

    @property
    def has_corrections(self) -> bool:
        """Whether a word was misspelt."""
        return any(
            word.text not in load_vocabulary().expand(self.tokens[word.token].text)
            for word in self.words
            if self.tokens[word.token].kind is TokenKind.WORD
        )

    def is_glued(self, phrase: Phrase) -> bool:
        """Return whether a phrase touches a number, as in "5a"."""
        first, last = self.get_tokens(phrase)
        before = self.tokens[first - 1] if first > 0 else None
        after = self.tokens[last] if last < len(self.tokens) else None
        return (
            before is not None
            and before.kind is TokenKind.NUMBER
            and are_adjacent(before, self.tokens[first])
        ) or (
            after is not None
            and after.kind is TokenKind.NUMBER
            and are_adjacent(self.tokens[last - 1], after)
        )

    def has_break_after(self, phrase: Phrase) -> bool:
        """Return whether a phrase ends a line."""
        return self._has_kind(self.get_tokens(phrase)[1], TokenKind.BREAK)

    def has_break_before(self, phrase: Phrase) -> bool:
        """Return whether a phrase begins a line."""
        return self._has_kind(self.get_tokens(phrase)[0] - 1, TokenKind.BREAK)

    def _has_kind(self, token: int, kind: TokenKind) -> bool:
        return 0 <= token < len(self.tokens) and self.tokens[token].kind is kind

    def has_sign_after(self, phrase: Phrase, sign: str) -> bool:
        """Return whether a sign follows a phrase."""
        _, last = self.get_tokens(phrase)
        return last < len(self.tokens) and self.tokens[last].text == sign

    def get_text(self, phrase: Phrase) -> str:
        """Return the words of a phrase."""
        return " ".join(word.text for word in self.words[phrase.first : phrase.last])

    def get_tokens(self, phrase: Phrase) -> tuple[int, int]:
        """Return the index of the first token of a phrase, and that after its last."""
        return self.words[phrase.first].token, self.words[phrase.last - 1].token + 1


def find_phrases(tokens: Sequence[Token], *, names: Collection[str] = ()) -> PhraseList:
    """Return the phrases of a text.

    Args:
        tokens: the tokens of the text.
        names: words that are names here, and no misspelling of anything.

    """
    vocabulary = load_vocabulary()
    found = PhraseList(tokens)
    for index, token in enumerate(tokens):
        if token.kind in {TokenKind.WORD, TokenKind.NUMBER}:
            words = _compare_as(token, index, vocabulary, names)
            before = tokens[found.words[-1].token + 1 : index] if found.words else []
            is_joined = all(each.text in _HYPHENS for each in before)
            found.words += [replace(words[0], is_joined=is_joined), *words[1:]] if words else []
    found.words = _read_to_for_two(found.words)
    text = "".join(f"{word.text} " for word in found.words)
    starts = [0]
    for word in found.words:
        starts.append(starts[-1] + len(word.text) + 1)
    places = {start: index for index, start in enumerate(starts)}
    place = 0
    while place < len(found.words):
        phrase = _read_phrase(found.words, place, text, starts, places, vocabulary)
        found.phrases.append(phrase)
        place = phrase.last
    return found


def _read_to_for_two(words: list[Word]) -> list[Word]:
    """Return the words with "2" read as "to" between verbs: "i want 2 buy"."""
    if len(words) == 2 and words[0].text in {"me", "us"}:  # noqa: PLR2004 - "me 2"
        return [words[0], replace(words[1], text="too" if words[1].text == "2" else words[1].text)]
    return [
        replace(word, text="to")
        if word.text == "2"
        and 0 < place < len(words) - 1
        and words[place - 1].text in _BEFORE_TO
        and words[place + 1].text in _AFTER_TO
        else word
        for place, word in enumerate(words)
    ]


_BEFORE_TO: Final = frozenset({"want", "like", "need", "going", "ready", "how", "have", "able"})
_AFTER_TO: Final = frozenset(
    {"buy", "play", "pay", "get", "choose", "pick", "know", "talk", "speak", "order", "join", "see"}
)


def _compare_as(
    token: Token, index: int, vocabulary: Vocabulary, names: Collection[str]
) -> list[Word]:
    if token.kind is TokenKind.NUMBER:
        return [Word(token.text, index)]
    corrected = token.text
    if not _is_like_name(token.text, names):
        corrected = correct_word(token.text)
    is_corrected = corrected != token.text and not _has_long_run(token.text)
    is_misspelt = corrected != token.text and corrected in DESTRUCTIVE_WORDS
    return [
        Word(text, index, is_misspelt=is_misspelt, is_corrected=is_corrected)
        for text in vocabulary.expand(corrected)
    ]


def _is_like_name(word: str, names: Collection[str]) -> bool:
    return word in names or (
        len(word) >= MIN_FUZZY_LETTERS
        and word not in load_vocabulary().words
        and any(fuzz.ratio(name, word) >= NAME_SIMILARITY for name in names)
    )


@lru_cache(maxsize=4_096)
def correct_word(word: str) -> str:
    """Return the known word that a word is or that it nearly is; else the word itself."""
    vocabulary = load_vocabulary()
    if word in vocabulary.words:
        return word
    for runs in (2, 1):
        squeezed = "".join(
            letter * min(len(list(run)), runs) if len(word) > runs else letter
            for letter, run in groupby(word)
        )
        if squeezed != word and squeezed in vocabulary.words and _has_long_run(word):
            return squeezed
    if len(word) < MIN_FUZZY_LETTERS or word in vocabulary.never_misspelt:
        return word
    return _find_near_word(word, vocabulary) or word


def _has_long_run(word: str) -> bool:
    return any(len(list(run)) > 2 for _, run in groupby(word))  # noqa: PLR2004 - no word has three


def _find_near_word(word: str, vocabulary: Vocabulary) -> str | None:
    most = MAX_TYPOS if len(word) >= LONG_WORD else 1
    near = extract(
        word,
        _list_targets(len(word)),
        scorer=OSA.distance,
        score_cutoff=most,
        limit=3,
    )
    fitting = [
        (distance, target)
        for target, distance, _ in near
        if target[0] == word[0] or sorted(target[:2]) == sorted(word[:2])
    ]
    if not fitting:
        return None
    amounts = {word for amount in vocabulary.amounts for word in amount.split()}
    return min(fitting, key=lambda each: (each[0], each[1] not in amounts, each[1]))[1]


@lru_cache(maxsize=64)
def _list_targets(length: int) -> tuple[str, ...]:
    """Return the words that a word of so many letters may be a misspelling of."""
    vocabulary = load_vocabulary()
    return tuple(
        sorted(
            known
            for known in vocabulary.words
            if abs(len(known) - length) <= MAX_TYPOS
            and len(known) >= MIN_FUZZY_LETTERS
            and (known not in DESTRUCTIVE_WORDS or known == "cancel")
        )
    )


def _read_phrase(
    words: Sequence[Word],
    place: int,
    text: str,
    starts: Sequence[int],
    places: dict[int, int],
    vocabulary: Vocabulary,
) -> Phrase:
    end, meanings = vocabulary.phrases.find_longest(text, starts[place], words[place].text)
    last = places[end] if meanings else place + 1
    amount_last, amount, in_words = _read_amount(words, place, vocabulary)
    if amount is not None and amount_last >= last:
        roles = (
            tuple(each for each in _sort(meanings) if isinstance(each, WordRole))
            if (amount_last == last)
            else ()
        )
        return Phrase(place, amount_last, amount=amount, is_in_words=in_words, roles=roles)
    if not meanings:
        return Phrase(place, place + 1, is_known=False)
    sorted_meanings = _sort(meanings)
    return Phrase(
        place,
        last,
        intents=tuple(each for each in sorted_meanings if isinstance(each, Intent)),
        roles=tuple(each for each in sorted_meanings if isinstance(each, WordRole)),
        doubts=tuple(each for each in sorted_meanings if isinstance(each, Doubt)),
        is_filler=Filler.WORD in meanings,
    )


def _sort(meanings: Sequence[WordMeaning]) -> list[WordMeaning]:
    # Members of two enums with the same value are equal, so their types tell them apart.
    return list({(type(each), each): each for each in meanings}.values())


def _read_amount(
    words: Sequence[Word], place: int, vocabulary: Vocabulary
) -> tuple[int, int | None, bool]:
    """Return the end of an amount at a place, its value, and whether it is in words."""
    word = words[place].text
    if word.isdecimal():
        return place + 1, int(word) if len(word) <= 12 else None, False  # noqa: PLR2004
    for size in range(min(MAX_AMOUNT_WORDS, len(words) - place), 0, -1):
        phrase = " ".join(each.text for each in words[place : place + size])
        value = vocabulary.amounts.get(phrase)
        if value is None:
            continue
        return _extend_amount(words, place + size, value, vocabulary)
    return place, None, False


def _extend_amount(
    words: Sequence[Word], after: int, value: int, vocabulary: Vocabulary
) -> tuple[int, int, bool]:
    """Return an amount with a unit after tens, or with a hundred or a dozen after a unit."""
    is_next = after < len(words) and words[after].is_joined
    following = vocabulary.amounts.get(words[after].text, 0) if is_next else 0
    if 20 <= value < 100 and value % 10 == 0 and 0 < following < 10:  # noqa: PLR2004 - twenty one
        return after + 1, value + following, True
    if value == 100:  # noqa: PLR2004 - a hundred and thirteen
        return _add_to_hundreds(words, after, value, vocabulary)
    if 0 < value < 10 and following in {12, 100} and words[after].text in {"hundred", "dozen"}:  # noqa: PLR2004
        if following == 100:  # noqa: PLR2004
            return _add_to_hundreds(words, after + 1, value * following, vocabulary)
        return after + 1, value * following, True
    return after, value, True


def _add_to_hundreds(
    words: Sequence[Word], after: int, value: int, vocabulary: Vocabulary
) -> tuple[int, int, bool]:
    """Return hundreds with what follows them: two hundred and thirteen."""
    place = after + 1 if after < len(words) and words[after].text == "and" else after
    rest = vocabulary.amounts.get(words[place].text, 0) if place < len(words) else 0
    if not 0 < rest < 100 or words[place].text in {"dozen", "couple", "pair"}:  # noqa: PLR2004
        return after, value, True
    last, rest, _ = _extend_amount(words, place + 1, rest, vocabulary)
    return last, value + rest, True
