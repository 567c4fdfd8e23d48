"""Questions about a draw: how they are heard, and what is answered."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from shared.conversation import flow
from shared.conversation.context import Context
from shared.conversation.conversation_events import NumberFound, TextReceived
from shared.conversation.facts.draw_values import DrawFacts, NumberFacts, NumberStatus
from shared.conversation.facts.values import OrderFacts, RaffleFacts
from shared.conversation.texts import draw_updates, draws, my_tickets, order_status, order_updates
from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.reader import read_text
from shared.conversation.values import LookUpNumber, LookUpResults, LookUpRules, Step
from shared.core.enums import State
from shared.whatsapp import messages
from shared.whatsapp.messages import LIST_BODY_LIMIT, measure_length
from tests import meta_limits
from tests.cases import walk_cases
from tests.unit.conversation.sample_facts import (
    DRAFT,
    DRAW,
    NOON,
    PAID,
    PENDING,
    SUMMER,
    WINTER,
    build_facts,
)

SEALED: Final = replace(DRAW.raffle, not_selling_reason="sealed")
SEALED_DRAW: Final = replace(DRAW, raffle=SEALED, drawn_at=None)
OPEN_DRAW: Final = DrawFacts(SUMMER)
ELSEWHERE: Final = DrawFacts(DRAW.raffle)
CALLED_OFF: Final = replace(SUMMER, not_selling_reason="cancelled")
CONFIRMED: Final = replace(DRAW, prizes=DRAW.prizes[:1])
DRAWN_ORDER: Final = replace(PAID, raffle=DRAW.raffle, receipt_entry=57, receipt_head="9f3a12c8")


# ── read ─────────────────────────────────────────────────────────────────────────────────────────

RULES, RESULTS, VERIFY = Intent.RULES, Intent.RESULTS, Intent.VERIFY


def read(text: str) -> tuple[Intent, tuple[int, ...]]:
    """Return the intent of a text and the ticket numbers it asks about."""
    reading = read_text(text)
    group = reading.wish.take if reading.wish is not None else None
    return reading.intent, group.values if group is not None else ()


@walk_cases(
    ("text", "intent"),
    [
        *[
            (text, RULES)
            for text in (
                "RULES!", "the rules", "How is it drawn?", "📜 Rules plz", "Hi, rules", "ruels",
                "Can I see the rules of the raffle?", "ruless", "RULSE", "rulez",
            )
        ],
        *[
            (text, RESULTS)
            for text in (
                "Who won??", "results", "who's the winner", "Hello, who won? 🏆", "¿Who won?",
                "who won the raffle", "who won the motorbike", "So what's the result?", "resuts",
                "is it drawn yet", "reslts", "winers", "wimner",
            )
        ],
        *[
            (text, Intent.DRAW_DATE)
            for text in ("when is the draw?", "whens the draw", "wen draw", "what day is the draw")
        ],
        *[
            (text, VERIFY)
            for text in ("verify", "Verify please", "check my 3 tickets")
        ],
    ],
)  # fmt: skip
def test_questions_are_read_in_any_spelling(text: str, intent: Intent) -> None:
    assert read(text)[0] is intent


@walk_cases(
    "text",
    [
        "verify 07", "VERIFY #007!", "verfy 7", "please verify number 7", "check 07",
        "can you check number 7 please", "verify: 07", "verify ٧", "Verify\n07", "verify07",
        "verify:07", "verify - 07", "*verify* 7️⃣ 👍", "verify seven", "I want to check 07",
        "did 07 win?", "is number 7 sold",
    ],
)  # fmt: skip
def test_questions_about_a_number_are_read_in_any_spelling(text: str) -> None:
    intent, numbers = read(text)

    assert intent in {VERIFY, Intent.IS_FREE}
    assert numbers == (7,)


@walk_cases(
    "text",
    [
        "", "winter", "check my payment", "verify my payment", "very 7", "07", "check it please",
        "please check", "check my receipt", "winder", "is it 07", "did I pay",
        "verify my payment of 15", "5 random", "rules " * 100, "checks 5", "menu", "cancel",
        "my tickets", "yes", "18",
    ],
)  # fmt: skip
def test_other_texts_are_no_question_about_a_draw(text: str) -> None:
    assert read(text)[0] not in {RULES, RESULTS, VERIFY}


@walk_cases("pattern", ["{} please", "ok {}", "{}!!", "hi, {}", "{}\nthanks"])
def test_words_around_a_question_or_wish_leave_its_meaning(pattern: str) -> None:
    other = [
        (word, read(text)[0])
        for word in ("rules", "who won", "my tickets", "help", "how much is it", "person", "menu")
        if read(text := pattern.format(word))[0] is not read(word)[0]
    ]

    assert other == []


def ask(text: str, *orders: object, state: State = State.MENU, **facts: object) -> Step:
    return flow.step(state, Context(), TextReceived(text), build_facts(*orders, **facts))  # type: ignore[arg-type]


class TestWhatIsLookedUp:
    def test_is_the_raffle_that_the_buyer_is_in(self) -> None:
        both = (SUMMER, WINTER)
        winter_order = replace(PAID, raffle=WINTER)

        assert ask("rules").lookup == LookUpRules(1)
        assert ask("rules", raffles=both).replies[0].rows[1].title == "Winter Raffle"
        assert ask("verify 7", raffles=both).replies[0].key == "verify_which"
        assert ask("verify 7", winter_order, raffles=both).lookup == LookUpNumber(2, 7)
        assert ask("verify 7", winter_order, PAID).lookup is None
        assert ask("verify 7", replace(winter_order, numbers=(8,)), PAID).lookup == LookUpNumber(
            1, 7
        )

    def test_is_also_the_raffle_that_is_chosen_now_if_the_number_is_not_the_buyers(self) -> None:
        winter_order = replace(PAID, raffle=WINTER, numbers=(8,))
        known = build_facts(winter_order, raffles=(SUMMER, WINTER))
        choosing = Context(raffle_id=1)

        other, own = (
            flow.step(State.CHOOSE_MODE, choosing, TextReceived(text), known)
            for text in ("verify 7", "verify 8")
        )
        stranger = flow.step(
            State.CHOOSE_MODE,
            choosing,
            TextReceived("verify 7"),
            build_facts(raffles=(SUMMER, WINTER)),
        )

        assert other.replies[0].key == "verify_which"
        assert own.lookup == LookUpNumber(2, 8)
        assert stranger.lookup == LookUpNumber(1, 7)

    def test_is_whatever_was_drawn_last_where_there_is_nothing_else(self) -> None:
        assert ask("verify 7", raffles=()).lookup == LookUpNumber(None, 7)
        assert ask("who won", PAID).lookup == LookUpResults()
        assert ask("rules", raffles=()).replies[0].body.startswith(draws.build_no_rules_note())

    def test_is_each_raffle_of_the_buyer_that_is_sealed_or_drawn(self) -> None:
        sealed = replace(PAID, id=11, raffle=replace(SEALED, id=3))

        assert ask("who won", DRAWN_ORDER, sealed, PENDING).lookup == LookUpResults((3,))
        assert ask("who won", DRAWN_ORDER, sealed).lookup == LookUpResults((3, 1))

    def test_is_no_rule_if_a_misspelling_names_a_raffle(self) -> None:
        named = replace(WINTER, title="Rulez")

        assert ask("rulez", raffles=(SUMMER, named)).replies[0].key == "card"
        for title in ("Results", "The Winner!", "Who won the Moon"):
            named = replace(WINTER, title=title)
            assert ask(title.lower(), raffles=(SUMMER, named)).replies[0].key == "card"
        assert ask("ruels").lookup == LookUpRules(1)


# ── answered ─────────────────────────────────────────────────────────────────────────────────────


class TestRules:
    def test_are_shown_whole_with_a_next_step(self) -> None:
        reply = draws.build_rules_message(SUMMER, "Rules\nPrize 1: a motorbike\n", url="")

        assert reply.body == "Rules\nPrize 1: a motorbike"
        assert [button.title for button in reply.buttons] == [
            "Choose numbers", "My tickets", "Menu",
        ]  # fmt: skip

    def test_that_nobody_has_chosen_are_not_made_up(self) -> None:
        reply = draws.build_rules_message(DRAW.raffle, "", url="")

        assert reply.body == (
            "*Summer Raffle* has no rules of the draw that I know. Please ask Ana, +1 555 0100."
        )
        assert reply.buttons[0].title == "Who won"

    @pytest.mark.parametrize("url", ["https://example.org/rules", ""])
    def test_that_are_too_long_are_cut_at_a_line_and_name_the_address(self, url: str) -> None:
        text = "\n".join(f"Prize {place}: {'🎁' * 60}" for place in range(50))

        reply = draws.build_rules_message(DRAW.raffle, text, url=url)

        assert measure_length(reply.body) <= LIST_BODY_LIMIT
        assert reply.body.endswith(f"🎁\n… The full rules: {url or 'ask Ana, +1 555 0100'}")
        assert [row.title for row in reply.rows] == ["Who won", "My tickets", "Menu"]
        message = reply.to_whatsapp_message()
        assert meta_limits.find_message_faults(message) == []
        assert reply.body in messages.render_preview(message)


class TestResults:
    def test_name_winners_that_consented_and_say_what_is_open(self) -> None:
        won = replace(DRAW.prizes[0], is_claimed=True, winner="")
        late = replace(DRAW.prizes[0], number=9, claim_until=NOON)
        draw = replace(DRAW, prizes=(*DRAW.prizes, won, late))

        reply = draws.build_results_message(
            [draw, SEALED_DRAW], upcoming=[WINTER], own_numbers={1: {7}}, now=NOON
        )

        assert reply.body == (
            "*Summer Raffle* · drawn Sat 12 Dec, 20:04\n"
            "1. a motorbike: *007* (yours!), Ana …34 · to be claimed by Mon 11 Jan 2027, "
            "20:00\n"
            "2. a helmet: the seller is confirming the winner\n"
            "3. a motorbike: *007* (yours!) · claimed\n"
            "4. a motorbike: *009*, Ana …34 · not claimed in time\n\n"
            "*Summer Raffle*: the list of 843 sold numbers is sealed. Draw: Sat 12 Dec, 20:00.\n\n"
            "*Winter Raffle*: draw Sat 12 Dec, 20:00.\n\n"
            "Check a number: write *verify* and the number. How it was drawn: *rules*."
        )

    def test_are_still_to_come_where_nothing_is_drawn(self) -> None:
        due = replace(WINTER, draw_time_reached=True)
        sold_out = replace(SUMMER, draw_at=None, draw_when_sold_out=True)
        later = replace(SUMMER, draw_at=None)

        reply = draws.build_results_message(
            [], upcoming=[due, sold_out, later], own_numbers={}, now=NOON
        )
        nothing = draws.build_results_message([], upcoming=[], own_numbers={}, now=NOON)

        assert reply.body == (
            "No raffle has been drawn so far.\n*Winter Raffle*: its draw is due.\n"
            "*Summer Raffle*: drawn when all numbers are sold.\n"
            "*Summer Raffle*: drawn on a later day."
        )
        assert nothing.body == "No raffle has been drawn so far."

    def test_of_a_raffle_drawn_by_other_means_name_the_seller(self) -> None:
        lines = draws.build_draw_lines(replace(DRAW, drawn_at=None), now=NOON)

        assert lines == ["*Summer Raffle* has been drawn. Who won? Ask Ana, +1 555 0100."]


NUMBERS: Final = [
    (OPEN_DRAW, NumberStatus.UNKNOWN, False, "*Summer Raffle* has no number 7: its numbers go"),
    (OPEN_DRAW, NumberStatus.FREE, False, "*007* of *Summer Raffle* is not sold yet."),
    (OPEN_DRAW, NumberStatus.HELD, False, "is held for a buyer and not sold yet."),
    (
        OPEN_DRAW, NumberStatus.SOLD, False,
        ("*007* of *Summer Raffle*: sold, entry 57, the list is not sealed yet. "
        "Draw: Sat 12 Dec, 20:00."),
    ),
    (
        SEALED_DRAW, NumberStatus.SOLD, True,
        "*007* of *Summer Raffle*: sold, entry 57, in the sealed list of 843 numbers.",
    ),
    (
        replace(SEALED_DRAW, sealed_count=1), NumberStatus.SOLD, True,
        "sold, entry 57, in the sealed list of 1 number.",
    ),
    (SEALED_DRAW, NumberStatus.FREE, False, "was not sold, so it is not in the sealed list."),
    (ELSEWHERE, NumberStatus.FREE, False, "*007* of *Summer Raffle* was not sold."),
    (
        ELSEWHERE, NumberStatus.SOLD, False,
        ("*007* of *Summer Raffle*: sold, entry 57. The raffle has been drawn. Who won? Ask Ana, "
        "+1 555 0100."),
    ),
    (
        DrawFacts(CALLED_OFF), NumberStatus.SOLD, False,
        "*007* of *Summer Raffle*: sold, entry 57. The raffle was called off.",
    ),
    (DrawFacts(CALLED_OFF), NumberStatus.HELD, False, "was not sold. The raffle was called off."),
    (DRAW, NumberStatus.SOLD, False, "not in the sealed list: please ask Ana, +1 555 0100."),
    (
        DRAW, NumberStatus.SOLD, True,
        ("It won a motorbike: to be claimed by Mon 11 Jan 2027, 20:00. "
        "Congratulations! Please write to Ana, +1 555 0100."),
    ),
]  # fmt: skip


@walk_cases(("draw", "status", "on_list", "said"), NUMBERS)
def test_what_became_of_a_number_is_said(
    draw: DrawFacts, status: NumberStatus, on_list: bool, said: str
) -> None:
    found = NumberFacts(draw, 7, status, entry=57, is_on_list=on_list)

    reply = draws.build_number_message(found, is_own=True, can_take=True, now=NOON)

    assert said in reply.body
    assert "None" not in reply.body


def test_a_number_that_did_not_win_is_told_so_only_when_all_winners_are_confirmed() -> None:
    lost = NumberFacts(DRAW, 8, NumberStatus.SOLD, is_on_list=True)

    early = draws.build_number_message(lost, is_own=False, can_take=True, now=NOON).body
    late = draws.build_number_message(
        replace(lost, draw=CONFIRMED), is_own=False, can_take=True, now=NOON
    ).body

    assert early.endswith("The seller is confirming the winners.")
    assert late.endswith("It did not win.")
    assert "Congratulations" not in early + late


@walk_cases(
    ("raffle", "orders", "can_take"),
    [
        (SUMMER, (), True),
        (SUMMER, (PENDING,), True),
        (SUMMER, (DRAFT,), False),  # a tap would give the hold away
        (replace(SUMMER, min_per_order=2), (), False),
        (replace(SUMMER, remaining_for_buyer=0), (), False),
        (replace(SUMMER, not_selling_reason="paused"), (PAID,), False),
    ],
)
def test_a_free_number_can_be_taken_at_once_unless_that_costs_a_hold(
    raffle: RaffleFacts, orders: tuple[OrderFacts, ...], can_take: bool
) -> None:
    known = build_facts(
        *(replace(order, raffle=raffle) for order in orders),
        raffles=(raffle,) if raffle.is_on_sale else (),
    )
    found = NumberFound(NumberFacts(DrawFacts(raffle), 8, NumberStatus.FREE))

    step = flow.step(State.MENU, Context(), found, known)

    assert (step.replies[0].buttons[0].title == "Take 008") == can_take


# ── told beside other things ─────────────────────────────────────────────────────────────────────


def test_paid_orders_show_their_entry_wherever_they_are_shown() -> None:
    entered = replace(PAID, receipt_entry=57, receipt_head="9f3a12c8")

    paid = order_updates.build_paid_message(entered).body
    listed = my_tickets.build_my_tickets_message([entered], now=NOON).body

    assert "\nKeep this message: it proves" in paid
    assert paid.split("\n")[2] == listed.split("\n")[3] == "Entry 57 · 9f3a 12c8"
    unentered = order_updates.build_paid_message(PAID).body
    assert not any(words in unentered for words in ("Entry", "Keep this message"))
    assert "Entry" not in my_tickets.build_my_tickets_message([PAID], now=NOON).body


@walk_cases(
    ("raffle", "listed", "done"),
    [
        (SUMMER, "Paid and yours. Draw: Sat 12 Dec, 20:00.", "Good luck!"),
        (
            SEALED,
            "Paid and yours. The list is sealed. Draw: Sat 12 Dec, 20:00.",
            "Draw: Sat 12 Dec, 20:00.",
        ),
        (replace(SEALED, draw_at=None), "The list is sealed. The draw is due.", "The draw is due."),
        (DRAW.raffle, "Paid and yours. It has been drawn: write *who won*.", "has been drawn."),
    ],
)
def test_paid_orders_lead_to_the_draw(raffle: object, listed: str, done: str) -> None:
    order = replace(PAID, raffle=raffle)  # type: ignore[arg-type]

    reply = order_status.build_all_done_message(order)

    assert listed in my_tickets.build_my_tickets_message([order], now=NOON).body
    assert reply.body.endswith(done)
    assert (reply.buttons[0].title == "Who won") == (raffle is not SUMMER)


def test_buyers_of_a_drawn_raffle_are_offered_who_won_when_nothing_is_on_sale() -> None:
    assert ask("hi", DRAWN_ORDER, raffles=()).replies[0].buttons[0].title == "Who won"
    assert [b.title for b in ask("hi", raffles=()).replies[0].buttons] == ["My tickets"]


def test_a_text_to_forward_names_winners_and_list_and_nobody_who_did_not_consent() -> None:
    unnamed = replace(CONFIRMED, prizes=(replace(CONFIRMED.prizes[0], winner=""),))

    text = draw_updates.build_text_to_forward(CONFIRMED, now=NOON)

    assert "a motorbike: *007*, Ana …34" in text
    assert (
        "843 sold numbers; the list was sealed before the draw (SHA-256 abababababababab…)" in text
    )
    assert "Ana …" not in draw_updates.build_text_to_forward(unnamed, now=NOON)


def test_what_is_left_out_of_several_draws_is_not_counted_wrongly() -> None:
    many = replace(DRAW, prizes=DRAW.prizes[:1] * 60)

    one, two = (
        draws.build_results_message(shown, upcoming=[], own_numbers={}, now=NOON).body
        for shown in ([many], [many, many])
    )

    assert "more: ask Ana, +1 555 0100." in one
    assert "… There is more: to check a number, write *verify* and the number." in two


def test_winners_read_how_to_claim_until_when() -> None:
    reply = draw_updates.build_winner_message(
        DRAWN_ORDER,
        result_id=5,
        prize="a motorbike",
        number=7,
        claim_until=NOON + timedelta(days=30),
        now=NOON,
    )

    assert reply.body.startswith(
        "Congratulations! *007* has won *a motorbike* in *Summer Raffle* (order R-7K3F9).\n"
        "To claim it, please write to Ana, +1 555 0100 by Tue 22 Dec, 12:00. After that"
    )
    assert [button.id for button in reply.buttons] == ["r1:show-name:5", "r1:hide-name:5"]
