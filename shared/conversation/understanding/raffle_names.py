"""Names in a text: the raffle that is meant, by its title or prize, and the seller."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from rapidfuzz import fuzz

from shared.conversation.understanding.phrases import NAME_SIMILARITY, PhraseList
from shared.conversation.understanding.text_normalization import normalize_text
from shared.conversation.understanding.tokens import Token, TokenKind
from shared.conversation.understanding.vocabulary import WordRole, load_vocabulary

MIN_NAME_LETTERS: Final = 4
"""Letters of the shortest word that names a raffle by itself."""

_NEGATION_REACH: Final = 2
"""Words before a name among which a "not" refuses it: "not the winter one"."""


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


@dataclass(frozen=True, slots=True)
class NamedRaffle:
    """The raffle that a text names.

    Attributes:
        index: its index in the surroundings; None: none or several are named.
        words: the indexes of the words that name raffles, and of the "not" before one.
        is_whole: whether the text is a title and nothing else.
        is_refused: whether a raffle is not wanted, and the text does not say which one is.

    """

    index: int | None = None
    words: frozenset[int] = frozenset()
    is_whole: bool = False
    is_refused: bool = False


def replace_seller_names(tokens: Sequence[Token], sellers: Sequence[str]) -> list[Token]:
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


class RaffleNames:
    """The titles of raffles, and the words that only one of them has."""

    def __init__(self, surroundings: Surroundings) -> None:
        """Split titles and prizes into words."""
        self._titles = [normalize_text(title).split() for title in surroundings.titles]
        prizes = [normalize_text(prize).split() for prize in surroundings.prizes]
        prizes += [[]] * (len(self._titles) - len(prizes))
        of_raffle = [{*title, *prize} for title, prize in zip(self._titles, prizes, strict=False)]
        common = load_vocabulary().common_words
        self._own = [
            {
                word
                for word in words
                if len(word) >= MIN_NAME_LETTERS
                and word not in common
                and not any(word in others for at, others in enumerate(of_raffle) if at != index)
            }
            for index, words in enumerate(of_raffle)
        ]
        self.words: frozenset[str] = frozenset().union(*self._own) if self._own else frozenset()

    def find(self, found: PhraseList) -> NamedRaffle:
        """Return the raffle that a text names.

        "Not winter" names the other of two, and of several the one after a correction counts.
        """
        texts = [word.text for word in found.words]
        if texts in self._titles:
            return NamedRaffle(self._titles.index(texts), frozenset(range(len(texts))), True)
        named = self._find_titles(texts) or self._find_own_words(texts)
        places = frozenset().union(*named.values()) if named else frozenset[int]()
        refusals = {index: _find_refusal(texts, min(at)) for index, at in named.items()}
        refused = {index for index, at in refusals.items() if at is not None}
        places |= {at for at in refusals.values() if at is not None}
        wanted = [index for index in named if index not in refused]
        if len(wanted) > 1 and any(WordRole.INSTEAD in phrase.roles for phrase in found.phrases):
            wanted = [max(wanted, key=lambda index: min(named[index]))]
        if not wanted and refused and len(self._titles) - len(refused) == 1:
            wanted = [index for index in range(len(self._titles)) if index not in refused]
        index = wanted[0] if len(wanted) == 1 else None
        return NamedRaffle(index, places, is_refused=bool(refused) and index is None)

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
                    fuzz.ratio(word, text) >= NAME_SIMILARITY for word in own
                ):
                    found.setdefault(index, set()).add(place)
        return found


def _find_refusal(texts: Sequence[str], place: int) -> int | None:
    """Return the place of the "not" before a name; None: it is not refused."""
    nearby = range(max(0, place - _NEGATION_REACH), place)
    return next((at for at in nearby if texts[at] in {"not", "without"}), None)
