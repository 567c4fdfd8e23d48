"""Meanings of sentences, and whether a step of the conversation does what was meant.

The notation is described in `README.md` beside this module.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from shared.conversation.values import (
    AssignProof,
    CancelOwnOrder,
    HoldNumbers,
    HoldRandom,
    LookUpNumber,
    LookUpResults,
    LookUpRules,
    PlaceOrder,
    Step,
)
from tests.unit.conversation.sentences.scenes import SCENES, Scene

TABLE: Final = Path(__file__).parent / "table"
LINE_BREAK: Final = "⏎"
_LIKE: Final = "ask numbers like "
WAITING: Final = " // "
ARROW: Final = " => "


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the table.

    Attributes:
        scene: the name of the scene.
        texts: the messages that wait together, mostly one.
        meanings: what it may mean.
        place: the file and line, for messages of tests.

    """

    scene: str
    texts: tuple[str, ...]
    meanings: tuple[str, ...]
    place: str


class Verdict(StrEnum):
    """What the bot made of a sentence."""

    RIGHT = "right"
    UNMEANT = "an act that was not meant"
    MISSED = "not understood"
    OTHER = "another answer"


def load_sentences() -> list[Sentence]:
    """Return the sentences of all files.

    Raises:
        ValueError: a line has no scene, no meaning or an unknown one.

    """
    return [sentence for path in sorted(TABLE.glob("*.txt")) for sentence in _read_file(path)]


def _read_file(path: Path) -> Iterator[Sentence]:
    scene = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        place = f"{path.name}:{number}"
        if not line.strip() or line.startswith("# "):
            continue
        if line.startswith("[") and line.rstrip().endswith("]"):
            scene = line.strip(" []")
            if scene not in SCENES:
                raise ValueError(f"{place}: unknown scene {scene}")
            continue
        text, arrow, meaning = line.rpartition(ARROW)
        meanings = tuple(each.strip() for each in meaning.split(" | "))
        if not (arrow and scene and all(map(_is_known, meanings))):
            raise ValueError(f"{place}: not a sentence with a meaning: {line}")
        texts = text.strip().replace(LINE_BREAK, "\n").split(WAITING)
        yield Sentence(scene, tuple(each.strip() for each in texts), meanings, place)


def _is_known(meaning: str) -> bool:
    words = meaning.split()
    return bool(words) and words[0] in JUDGES


def judge(step: Step, sentence: Sentence) -> Verdict:
    """Return whether a step does what a sentence means."""
    scene = SCENES[sentence.scene]
    if any(_fits(step, meaning, scene) for meaning in sentence.meanings):
        return Verdict.RIGHT
    if isinstance(step.effect, HoldRandom | HoldNumbers | PlaceOrder | CancelOwnOrder):
        return Verdict.UNMEANT
    return Verdict.MISSED if is_miss(step, scene) else Verdict.OTHER


def is_miss(step: Step, scene: Scene) -> bool:
    """Return whether the buyer is told that they were not understood, or nothing at all."""
    return step.context.misses > scene.context.misses


def _fits(step: Step, meaning: str, scene: Scene) -> bool:
    verb, _, rest = meaning.partition(" ")
    if meaning.startswith(_LIKE):
        return _judge_numbers_like(step, rest, scene)
    return JUDGES[verb](step, rest, scene)


# ── judges ───────────────────────────────────────────────────────────────────────────────────────


def _has_key(step: Step, *keys: str) -> bool:
    return step.effect is None and any(reply.key in keys for reply in step.replies)


def _judge_hold(step: Step, rest: str, scene: Scene) -> bool:
    first, _, others = rest.partition(" else ")
    kept, beside, count = first.partition(" and random ")
    if beside:
        return (
            isinstance(step.effect, HoldRandom)
            and step.effect.keeping == tuple(map(int, kept.split()))
            and step.effect.quantity == len(step.effect.keeping) + int(count)
        )
    if first.startswith("random "):
        return isinstance(step.effect, HoldRandom) and step.effect.quantity == int(first[7:])
    numbers = tuple(sorted(map(int, first.split())))
    otherwise = tuple(sorted(map(int, others.split())))
    if any(order.numbers == otherwise for order in scene.facts.orders):
        otherwise = ()  # what is held stays held if the others are taken
    effect = step.effect
    return (
        isinstance(effect, HoldNumbers)
        and effect.numbers == numbers
        and tuple(getattr(effect, "otherwise", ())) == otherwise
    )


def _judge_ask(step: Step, rest: str, scene: Scene) -> bool:
    if step.effect is not None or not step.replies or is_miss(step, scene):
        return False
    subject, _, detail = rest.partition(" ")
    match subject:
        case "number":
            return _has_key(step, "quantity_or_number", "these_numbers", "add_or_replace")
        case "cancel":
            return _has_key(step, "cancel_surely", "cancel_which", "what_instead")
        case "quantity":
            return _has_key(step, "ask_quantity")
        case "numbers" if detail:
            return _has_key(step, "numbers_like")
        case "numbers":
            return _has_key(
                step, "ask_numbers", "add_or_replace", "what_instead", "drop_which", "which_more"
            )
        case _:
            return True


def _judge_numbers_like(step: Step, _rest: str, _scene: Scene) -> bool:
    return type(step.lookup).__name__ == "LookUpFreeNumbers" or _has_key(step, "numbers_like")


def _judge_answer(step: Step, topic: str, scene: Scene) -> bool:
    if step.effect is not None or is_miss(step, scene):
        return False
    name, _, number = topic.partition(" ")
    match name:
        case "who_won":
            return isinstance(step.lookup, LookUpResults)
        case "draw_method":
            return isinstance(step.lookup, LookUpRules) or _has_key(step, "rules_which")
        case "is_free" | "verify" if number:
            numbers = tuple(map(int, number.split()))
            if isinstance(step.lookup, LookUpNumber):
                return (step.lookup.number,) == numbers
            return getattr(step.lookup, "numbers", None) == numbers or _has_key(
                step, "which_number"
            )
        case "which_free" if type(step.lookup).__name__ == "LookUpFreeNumbers":
            return True
        case _:
            return any(reply.key in ANSWERS[name] for reply in step.replies)


def _judge_show(step: Step, what: str, _scene: Scene) -> bool:
    subject, _, name = what.partition(" ")
    reply = step.replies[0] if step.replies and step.effect is None else None
    if reply is None:
        return False
    match subject:
        case "menu":
            return reply.key in {"raffle_list", "card", "no_raffles"}
        case "card":
            return reply.key == "card" and f"*{name}" in reply.body
        case "order":
            return reply.about == name
        case "tickets":
            return reply.key == "my_tickets"
        case "hold":
            return reply.key in {"held", "my_tickets"}
        case _:
            raise ValueError(f"unknown screen {what}")


def _judge_other_numbers(step: Step, _rest: str, _scene: Scene) -> bool:
    return (isinstance(step.effect, HoldRandom) and step.effect.replacing is not None) or _has_key(
        step, "what_instead", "ask_numbers", "replace_hold", "which_more"
    )


def _judge_cancel(step: Step, _rest: str, _scene: Scene) -> bool:
    return isinstance(step.effect, CancelOwnOrder) or _has_key(
        step, "cancel_surely", "cancel_which", "cannot_cancel"
    )


def _judge_assign(step: Step, code: str, scene: Scene) -> bool:
    order = next(order for order in scene.facts.orders if order.code == code)
    return isinstance(step.effect, AssignProof) and step.effect.order_id == order.id


def _judge_paid(step: Step, _rest: str, _scene: Scene) -> bool:
    return _has_key(step, "still_to_pay", "under_review", "all_done", "answer_receipt", "held")


def _judge_quiet(step: Step, _rest: str, scene: Scene) -> bool:
    return step.effect is None and not is_miss(step, scene)


def _judge_help(step: Step, _rest: str, _scene: Scene) -> bool:
    return step.effect is None and any("*HELP*" in reply.body for reply in step.replies)


def _judge_change(change: str) -> Callable[[Step, str, Scene], bool]:
    def judge_change(step: Step, _rest: str, _scene: Scene) -> bool:
        return str(getattr(step, "contact_change", None) or "").rpartition(".")[2].lower() == change

    return judge_change


def _judge_effect(kind: type) -> Callable[[Step, str, Scene], bool]:
    def judge_effect(step: Step, _rest: str, _scene: Scene) -> bool:
        return isinstance(step.effect, kind)

    return judge_effect


def _judge_adult(step: Step, _rest: str, _scene: Scene) -> bool:
    return step.confirms_age


def _judge_minor(step: Step, _rest: str, _scene: Scene) -> bool:
    return _has_key(step, "age_refused")


def _judge_unknown(step: Step, _rest: str, _scene: Scene) -> bool:
    return step.effect is None


JUDGES: Final[Mapping[str, Callable[[Step, str, Scene], bool]]] = {
    "hold": _judge_hold,
    "confirm": _judge_effect(PlaceOrder),
    "cancel": _judge_cancel,
    "assign": _judge_assign,
    "ask": _judge_ask,
    "other": _judge_other_numbers,
    "answer": _judge_answer,
    "show": _judge_show,
    "paid": _judge_paid,
    "keep": _judge_quiet,
    "help": _judge_help,
    "person": _judge_change("ask_person"),
    "stop": _judge_change("stop"),
    "start": _judge_change("start"),
    "adult": _judge_adult,
    "minor": _judge_minor,
    "greet": _judge_quiet,
    "thanks": _judge_quiet,
    "later": _judge_quiet,
    "unknown": _judge_unknown,
}

_CARD: Final = ("card", "raffle_list")
_DUE: Final = ("how_to_pay", "still_to_pay", "pay_which")

ANSWERS: Final[Mapping[str, frozenset[str]]] = {
    topic: frozenset({f"answer_{topic}", *keys})
    for topic, keys in {
        "price": _CARD,
        "total": ("held", *_DUE),
        "prize": _CARD,
        "draw_date": _CARD,
        "left": _CARD,
        "raffles": (*_CARD, "no_raffles"),
        "which_free": ("ask_numbers",),
        "is_free": (),
        "limits": ("ask_quantity",),
        "how_to_pay": _DUE,
        "receipt": ("under_review", "all_done", "which_order", *_DUE),
        "real": (),
        "verify": ("verify_how",),
        "refund": (),
        "change": ("what_instead", "numbers_fixed"),
        "cancel": ("cancel_surely",),
        "more_time": (),
        "late": (),
        "delivery": (),
        "privacy": (),
        "bot": (),
        "seller": ("ask_a_person",),
        "age": ("age_question",),
        "language": (),
        "how_it_works": (),
        "chances": (),
        "how_to_buy": (),
    }.items()
}
"""Replies that answer a question, by topic."""
