"""Tests of the rules of a draw: what is refused, and the text that buyers read."""

from datetime import UTC, datetime, timedelta

from shared.core.enums import DrawMethod, SourceKind, UnsoldRule
from shared.raffles.draws.draw_models import DrawRules, DrawSource
from shared.raffles.models import Raffle
from shared.raffles.services.draws import draw_rules, rule_text
from shared.raffles.services.draws.draw_rules import DEFAULT_SOURCE, ChosenRules, ChosenSource
from tests.builders import NOON
from tests.cases import walk_cases

DRAW_AT = NOON + timedelta(hours=8)
LOTTERY = ChosenSource(
    SourceKind.LOTTERY, name="Lotería de Bogotá", at=DRAW_AT, repeat_days=7, highest=9_999
)
SIX_OF_49 = ChosenSource(
    SourceKind.LOTTERY, name="Lotto", at=DRAW_AT, value_count=6, lowest=1, highest=49
)
DIGITS = ChosenRules(method=DrawMethod.LOTTERY_DIGITS, sources=[LOTTERY])


def build_raffle(**fields: object) -> Raffle:
    """Build a raffle of a hundred numbers, 00 to 99, that is not in the database."""
    return Raffle(
        **{
            "pk": 1,
            "title": "Summer Raffle",
            "prize": "a motorbike",
            "number_count": 100,
            "first_number": 0,
            "draw_at": DRAW_AT,
            **fields,
        }
    )


def change_source(source: ChosenSource, **fields: object) -> list[ChosenSource]:
    """Return a source with other attributes, as the only one."""
    known = {name: getattr(source, name) for name in ChosenSource.__slots__}
    return [ChosenSource(**{**known, **fields})]


@walk_cases(
    ("raffle", "chosen"),
    [
        (build_raffle(), ChosenRules()),
        (build_raffle(draw_at=None, draw_when_sold_out=True), ChosenRules(prizes=["a", "b"])),
        (build_raffle(), ChosenRules(sources=[SIX_OF_49, DEFAULT_SOURCE])),
        (build_raffle(), DIGITS),
        (build_raffle(first_number=1, number_count=99), DIGITS),
        (build_raffle(), ChosenRules(method=DrawMethod.RECORDED_DRUM, sources=[])),
        (build_raffle(number_count=13_983), ChosenRules(sources=[SIX_OF_49])),
    ],
)
def test_takes_rules_that_fit(raffle: Raffle, chosen: ChosenRules) -> None:
    assert draw_rules.find_rules_problem(raffle, chosen) is None


@walk_cases(
    ("chosen", "problem"),
    [
        (ChosenRules(prizes=["a prize"] * 51), "A raffle has 50 prizes at most."),
        (ChosenRules(sources=[DEFAULT_SOURCE] * 11), "Name at most 10 public sources."),
        (ChosenRules(sources=[]), "Name at least one public source."),
        (ChosenRules(prizes=["a car", " \t\x00"]), "Prize 2 has no title."),
        (
            ChosenRules(prizes=["x" * 121]),
            "Prize 1: Title: Ensure this value has at most 120 characters (it has 121).",
        ),
        (ChosenRules(minimum_sold=101), "The raffle has only 100 numbers."),
        (
            ChosenRules(prizes=["a", "b"], minimum_sold=1),
            "At least 2 numbers must be sold for 2 prizes: raise the minimum.",
        ),
        (
            ChosenRules(minimum_sold=0),
            "At least 1 numbers must be sold for 1 prize: raise the minimum.",
        ),
        (
            ChosenRules(claim_days=0),
            "Claim days: Ensure this value is greater than or equal to 1.",
        ),
        (
            ChosenRules(claim_days=366),
            "Claim days: Ensure this value is less than or equal to 365.",
        ),
        (
            ChosenRules(further_terms="x" * 2_001),
            "The further terms have 2,000 characters at most.",
        ),
        (
            ChosenRules(method=DrawMethod.RECORDED_DRUM),
            "A drum needs no public source.",
        ),
        (
            ChosenRules(sources=change_source(SIX_OF_49, name=" ")),
            "Name the source as the public knows it.",
        ),
        (
            ChosenRules(sources=change_source(SIX_OF_49, name="L" * 121)),
            f"{'L' * 120}: Name: Ensure this value has at most 120 characters (it has 121).",
        ),
        (
            ChosenRules(sources=change_source(SIX_OF_49, url="javascript:alert(1)")),
            "Lotto: Its address begins with https:// or http:// and has 200 characters at most.",
        ),
        (
            ChosenRules(sources=change_source(SIX_OF_49, url="https://a.example/" + "x" * 200)),
            "Lotto: Its address begins with https:// or http:// and has 200 characters at most.",
        ),
        (ChosenRules(sources=change_source(SIX_OF_49, at=None)), "Lotto: Say when it draws."),
        (
            ChosenRules(sources=change_source(SIX_OF_49, at=DRAW_AT - timedelta(hours=1))),
            "Lotto: It draws before the sale ends. Name a date after that.",
        ),
        (
            ChosenRules(sources=change_source(SIX_OF_49, highest=1)),
            "Lotto: Say which numbers it draws: from the lowest to the highest.",
        ),
        (
            ChosenRules(sources=change_source(SIX_OF_49, highest=5)),
            "Lotto: It cannot draw 6 of 5 numbers.",
        ),
        (
            ChosenRules(sources=change_source(SIX_OF_49, value_count=41, highest=99)),
            "Lotto: Value count: Ensure this value is less than or equal to 40.",
        ),
        (
            ChosenRules(sources=change_source(SIX_OF_49, highest=2**63)),
            "Lotto: Highest: Ensure this value is less than or equal to 9223372036854775807.",
        ),
        (
            ChosenRules(sources=change_source(DEFAULT_SOURCE, repeat_days=0)),
            "drand quicknet: Repeat days: Ensure this value is greater than or equal to 1.",
        ),
        (
            ChosenRules(sources=change_source(LOTTERY, highest=999)),
            (
                "The sources have 1,000 outcomes together; 100 numbers need 100,000, or some could "
                "never win. Add a source, or take drand."
            ),
        ),
        (
            ChosenRules(method=DrawMethod.LOTTERY_DIGITS, sources=[LOTTERY], prizes=["a", "b"]),
            "Each prize needs a lottery result of its own: as many sources as prizes.",
        ),
        (
            ChosenRules(method=DrawMethod.LOTTERY_DIGITS),
            "drand quicknet draws no single number. Choose a lottery that draws one.",
        ),
        (
            ChosenRules(
                method=DrawMethod.LOTTERY_DIGITS, sources=change_source(LOTTERY, highest=9_998)
            ),
            (
                "Lotería de Bogotá must be able to end in every number of 2 digits alike: from 0 "
                "to 99, or more digits."
            ),
        ),
    ],
)
def test_says_why_rules_do_not_fit(chosen: ChosenRules, problem: str) -> None:
    assert draw_rules.find_rules_problem(build_raffle(), chosen) == problem


def test_next_sold_upwards_needs_a_ticket_number_for_each_ending() -> None:
    raffle = build_raffle(first_number=1)  # 001 to 100
    later = ChosenRules(
        method=DrawMethod.LOTTERY_DIGITS,
        sources=[LOTTERY],
        unsold_rule=UnsoldRule.NEXT_SOURCE_DATE,
    )

    assert (draw_rules.find_rules_problem(raffle, DIGITS) or "").startswith(
        "900 of 1,000 possible results are no ticket number"
    )
    assert draw_rules.find_rules_problem(raffle, later) is None


LIST_RULES = """\
Ticket numbers: 00 to 99. Only sold numbers take part.
When the sale has ended and every payment is decided, the list of sold numbers is sealed: it \
cannot change any more. A number whose money goes back later stays on it.
"""
COMPUTATION = "The computation is that of RFC 3797: {order}. A selected number leaves the list. \
Anyone can repeat it with the same list and values.\n"
REDRAW = "It is drawn again if it is not claimed by then, if its winner declines it, or if its \
winner may not take part or got the money back: {how}. The reason is published. A number is \
drawn once and wins one prize at most.\n"
OTHER_VALUES = "Other values count only if the former ones were not those that the source \
published, or if the source declared them void. This is published too, and what was drawn from \
them is drawn anew.\n"
UPWARDS = "the next higher sold number that has not been drawn wins; after the highest number \
follows the lowest"


def build_source(**fields: object) -> DrawSource:
    """Build a source that is not in the database."""
    return DrawSource(
        **{
            "kind": SourceKind.LOTTERY,
            "name": "Lotería de Bogotá",
            "at": datetime(2026, 11, 23, 3, 30, tzinfo=UTC),
            "repeat_days": 7,
            **fields,
        }
    )


QUICKNET = build_source(kind=SourceKind.DRAND, name="drand quicknet", at=None, repeat_days=1)


def test_the_text_of_a_public_value_says_everything_that_decides() -> None:
    raffle = build_raffle(
        promoter="Club\nof Example",
        permit_number="12-B",
        rules_url="https://example.com/rules",
        adults_only=True,
        time_zone="America/Bogota",
    )
    rules = DrawRules(minimum_sold=50, claim_days=30, further_terms="Collect it\r\nin person.")

    text = rule_text.build_rule_text(
        raffle,
        rules,
        method=DrawMethod.PUBLIC_VALUE,
        sources=[QUICKNET],
        prizes=["a motorbike", "a cafe\u0301 set"],
    )

    assert text == (
        "Rules of the draw: Summer Raffle\n"
        "Promoter: Club of Example\n"
        "Permit: 12-B\n"
        "Full rules: https://example.com/rules\n"
        "Prize 1: a motorbike\n"
        "Prize 2: a caf\u00e9 set\n"
        + LIST_RULES
        + "The winners are computed from the sealed list and a public value that nobody knows "
        "before: the randomness of drand quicknet (chain 52db9ba7), the round at the time of the "
        "draw, 2026-11-22 15:00 America/Bogota; if the draw is moved, at its new time, or 10 "
        "minutes after the list is sealed if it has no date any more.\n"
        + COMPUTATION.format(order="selection 1 wins prize 1, selection 2 wins prize 2, and so on")
        + "If drand quicknet publishes nothing at its date, if it declares its result void, or if "
        "the list is not sealed more than 5 minutes before that date, its next date decides, 1 "
        "day later each time.\n"
        "If fewer than 50 numbers are sold, the raffle is called off and everybody gets their "
        "money back.\n"
        "A prize can be claimed for 30 days after the day on which it was drawn.\n"
        + REDRAW.format(how="the next selection of the same list and values wins")
        + OTHER_VALUES
        + "Only people who are 18 or older may take part.\n"
        "Further terms: Collect it\nin person.\n"
    )


def test_the_text_of_lottery_digits_names_each_prize_and_the_unsold_number() -> None:
    sources = [build_source(), build_source(at=datetime(2026, 11, 30, 3, 30, tzinfo=UTC))]

    upwards, later = (
        rule_text.build_rule_text(
            build_raffle(),
            DrawRules(unsold_rule=rule, claim_days=1),
            method=DrawMethod.LOTTERY_DIGITS,
            sources=sources,
            prizes=["a car", "a bicycle"],
        )
        for rule in UnsoldRule
    )

    head = (
        "Rules of the draw: Summer Raffle\nPrize 1: a car\nPrize 2: a bicycle\n"
        + LIST_RULES
        + "The winning number of prize 1 is the last 2 digits of Lotería de Bogotá, the result of "
        "2026-11-23 03:30 UTC.\n"
        "The winning number of prize 2 is the last 2 digits of Lotería de Bogotá, the result of "
        "2026-11-30 03:30 UTC.\n"
    )
    tail = (
        "If Lotería de Bogotá publishes nothing at its date, if it declares its result void, or "
        "if the list is not sealed more than 5 minutes before that date, its next date decides, 7 "
        "days later each time.\n"
        "A prize can be claimed for 1 day after the day on which it was drawn.\n"
        + REDRAW.format(how=UPWARDS)
        + OTHER_VALUES
    )
    assert upwards == (
        head + f"If that number was not sold or has been drawn already, {UPWARDS}.\n" + tail
    )
    assert later == (
        head + "If that number was not sold, the next date of the same lottery decides: 7 days "
        "later each time.\n"
        f"If it was sold and has been drawn already, {UPWARDS}.\n" + tail
    )


def test_the_text_of_a_drum_and_of_a_raffle_that_is_drawn_when_sold_out() -> None:
    raffle = build_raffle(title="Summer\nRaffle", draw_at=None, draw_when_sold_out=True)
    drum, public = (
        rule_text.build_rule_text(
            raffle, DrawRules(claim_days=30), method=method, sources=sources, prizes=["a car"]
        )
        for method, sources in (
            (DrawMethod.RECORDED_DRUM, []),
            (DrawMethod.PUBLIC_VALUE, [QUICKNET, build_source(url="https://example.com/lotto")]),
        )
    )

    assert drum == (
        "Rules of the draw: Summer Raffle\nPrize 1: a car\n"
        + LIST_RULES
        + "Every number on the sealed list is a printed stub in a drum. The stubs are drawn by "
        "hand before a witness, and the drawing is recorded: once the list is sealed, but not "
        "before the draw if a date for it is set.\n"
        "A stub that was drawn does not return to the drum, unless its drawing was void.\n"
        "A prize can be claimed for 30 days after the day on which it was drawn.\n"
        + REDRAW.format(how="another stub is drawn in the same way")
        + "Another stub counts only if the former one was noted wrongly or its drawing was void. "
        "This is published too, and the prize is drawn anew.\n"
    )
    dated = rule_text.build_rule_text(
        build_raffle(),
        DrawRules(claim_days=30),
        method=DrawMethod.RECORDED_DRUM,
        sources=[],
        prizes=["a car", "a bicycle"],
    )
    assert (
        "the drawing is recorded: not before 2026-11-22 20:00 UTC; if the draw is moved, not "
        "before its new time.\nPrize 1 is drawn first, then prize 2, and so on.\n"
    ) in dated
    assert (
        "The winner is computed from the sealed list and public values that nobody knows before:\n"
        "Source 1: the randomness of drand quicknet (chain 52db9ba7), the round 10 minutes after "
        "the list is sealed, or at the time of the draw if a date for it is set before.\n"
        "Source 2: Lotería de Bogotá, the result of 2026-11-23 03:30 UTC "
        "(https://example.com/lotto).\n" + COMPUTATION.format(order="selection 1 wins")
    ) in public
