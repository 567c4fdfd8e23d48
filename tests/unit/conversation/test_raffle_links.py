"""The text of a raffle's link finds the raffle, whatever its title and whatever a buyer edits."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.conversation import flow, raffle_links
from shared.conversation.context import Context
from shared.conversation.conversation_events import RaffleFound, TextReceived
from shared.conversation.facts.values import OrderFacts, RaffleFacts
from shared.conversation.flow.reconcile import derive_order_state
from shared.conversation.raffle_links import RaffleLink
from shared.conversation.understanding.chat_wishes import find_wish
from shared.conversation.values import LookUpRaffle, Step
from shared.core.enums import State
from tests.cases import walk_cases
from tests.unit.conversation.sample_facts import (
    DRAFT,
    FACTS_BY_STATE,
    PAID,
    PENDING,
    SUMMER,
    WINTER,
    build_facts,
)

TITLES = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("()[]*, raffle0123456789-"),
    max_size=120,
)
SOURCES = st.text("abz019- é", max_size=30).map(raffle_links.normalise_source)
LINKS = st.builds(RaffleLink, st.integers(1, 999_999_999), SOURCES)


@given(title=TITLES, link=LINKS)
def test_a_text_is_read_as_it_was_built(title: str, link: RaffleLink) -> None:
    text = raffle_links.build_link_text(title, link=link)

    assert raffle_links.parse_raffle_link(text) == link
    assert find_wish(text) is None


@given(title=TITLES, link=LINKS)
def test_an_address_holds_the_text_and_the_digits_alone(title: str, link: RaffleLink) -> None:
    address = urlsplit(raffle_links.build_raffle_link("+1 555-078-3881", title=title, link=link))

    assert (address.scheme, address.netloc, address.path) == ("https", "wa.me", "/15550783881")
    assert parse_qs(address.query)["text"] == [raffle_links.build_link_text(title, link=link)]


def test_the_text_reads_well() -> None:
    assert raffle_links.build_link_text("Summer Raffle", link=RaffleLink(12, "poster")) == (
        "Hi! I would like tickets for *Summer Raffle* (raffle 12, poster)"
    )


@walk_cases(
    "text",
    [
        "(raffle 12)",
        "hola (raffle 12)",
        "HI! I WOULD LIKE TICKETS (RAFFLE 12) 3 please",
        "I want 3 of these\n(raffle\n12)",
        "(Raffle no. 12)",
        "(raffle #12)",
        "(raffle 12",
        "[raffle 12]",
        "\uff08raffle \uff11\uff12\uff09",
        "*The (raffle 5) of the year* (raffle 12)",
        "(raffle \u0661\u0662)",
        "\uff08\uff52affle \u096712)".replace("12", "\u0968"),
        "(raffle 12, poster of the club at the corner)",
        "(raffle 12 \u2013 \U0001f3cd)",
        "(raffle 12,)",
        "(raffle 0012)",
    ],
)
def test_what_a_buyer_edits_around_the_mark_does_not_matter(text: str) -> None:
    assert raffle_links.parse_raffle_link(text) == RaffleLink(12)


@walk_cases(
    "text",
    [
        "",
        "raffle 12",
        "12",
        "I want raffle 12, please",
        "(12)",
        "(raffle)",
        "(raffle twelve)",
        "(raffle 12 and 13)",
        "(raffle 12, 3 random please",
        "draffle(raffle)12",
    ],
)
def test_other_words_are_no_link(text: str) -> None:
    assert raffle_links.parse_raffle_link(text) is None


@walk_cases(
    "text",
    [
        "(raffle " * 50_000,
        "(" * 300_000,
        "(raffle 1" * 50_000 + "?",
        "\ufdfa" * 100_000,
        "(raffle 1," + " " * 300_000 + "x",
        "(raffle 1, " + "a" * 300_000 + ")",
    ],
)
def test_a_hostile_text_costs_little_and_is_no_link(text: str) -> None:
    assert raffle_links.parse_raffle_link(text) is None


@walk_cases(
    ("word", "source"),
    [
        ("poster", "poster"),
        ("  Café München! ", "cafe-munchen"),
        ("Instagram story, 12 May", "instagram-story-12-m"),
        ("a_b/c", "a-b-c"),
        ("— …", ""),
        ("\u30dd\u30b9\u30bf\u30fc", ""),
        ("<script>", "script"),
    ],
)
def test_a_word_becomes_safe_for_links(word: str, source: str) -> None:
    assert raffle_links.normalise_source(word) == source


@given(word=st.text(max_size=60))
def test_a_safe_word_stays_as_it_is(word: str) -> None:
    source = raffle_links.normalise_source(word)

    assert raffle_links.normalise_source(source) == source
    assert len(source) <= raffle_links.MAX_SOURCE_LENGTH


@walk_cases(
    ("text", "source"),
    [
        ("(raffle 12, Caf\u00e9)", "cafe"),
        ("(raffle 12, my poster!)", "my-poster"),
        ("(raffle 12, POSTER", "poster"),
        ("(raffle 12 / a_b)", "a-b"),
        ("(raffle 12, a poster at the corner shop)", ""),
        ("(raffle 12, \u30dd\u30b9\u30bf\u30fc)", ""),
    ],
)
def test_an_odd_word_is_made_plain_or_dropped(text: str, source: str) -> None:
    assert raffle_links.parse_raffle_link(text) == RaffleLink(12, source)


def test_a_number_that_no_raffle_can_have_is_a_link_to_an_unknown_raffle() -> None:
    text = f"Hi! I would like tickets for *x* (raffle {'9' * 13})"

    step = flow.step(State.MENU, Context(), TextReceived(text), build_facts())

    assert step.lookup == LookUpRaffle(raffle_links.UNKNOWN_RAFFLE_ID)


@given(title=TITLES, link=LINKS)
def test_the_text_of_a_link_says_nothing_else_whatever_the_title(
    title: str, link: RaffleLink
) -> None:
    found = raffle_links.parse_link_text(raffle_links.build_link_text(title, link=link))

    assert found is not None
    assert found.other_words == ""
    assert found.opens_raffle


def follow(state: State, raffle_id: int, *, edits: str = "") -> Step:
    """Return the step for the text of a raffle's link in a usual situation of a state."""
    context, facts = FACTS_BY_STATE[state]
    facts = replace(facts, raffles=(SUMMER, WINTER))
    text = raffle_links.build_link_text("Another title", link=RaffleLink(raffle_id, "poster"))
    return flow.step(state, context, TextReceived(text + edits), facts)


@walk_cases("state", State)
def test_a_link_opens_its_card_in_every_state_and_leaves_a_live_order_alone(state: State) -> None:
    step = follow(state, WINTER.id, edits=" please! I want some, thanks \U0001f64f")

    (reply,) = step.replies
    assert (step.state, step.context) == (State.CHOOSE_MODE, Context(raffle_id=WINTER.id))
    assert reply.body.startswith("*Winter Raffle* · win a sledge")
    assert step.effect is None
    for order in FACTS_BY_STATE[state][1].live_orders:
        named = "007 · 213 · 845" if derive_order_state(order) is not State.DONE else order.code
        assert named in reply.body or order.code in reply.body


@walk_cases(
    ("text", "plain"),
    [
        ("cancel my order (raffle 1)", "cancel my order"),
        ("I paid for (raffle 1) yesterday", "I paid for yesterday"),
        ("(raffle 1) 3 random", "3 random"),
        ("(raffle 1)\n07, 13", "07, 13"),
        ("STOP (raffle 1)", "STOP"),
        ("how do I pay (raffle 1)", "how do I pay"),
        ("menu (raffle 1)", "menu"),
    ],
)
@pytest.mark.parametrize("is_paused", [False, True])
def test_a_text_that_says_more_is_read_without_the_mark(
    text: str, plain: str, is_paused: bool
) -> None:
    for context, facts in FACTS_BY_STATE.values():
        known = replace(facts, is_paused=is_paused)

        with_mark, without = (
            flow.step(State.WAIT_PROOF, context, TextReceived(said), known)
            for said in (text, plain)
        )

        assert with_mark == without


@walk_cases("state", State)
def test_a_link_opens_its_card_during_a_pause_which_goes_on(state: State) -> None:
    context, facts = FACTS_BY_STATE[state]
    facts = replace(facts, raffles=(SUMMER, WINTER), is_paused=True, wants_person=True)
    text = raffle_links.build_link_text("Talk to a person", link=RaffleLink(WINTER.id))

    step = flow.step(state, context, TextReceived(text), facts)

    assert (step.silence, step.contact_change) == (None, None)
    assert step.replies[0].body.startswith("*Winter Raffle*")


@walk_cases("order", [DRAFT, PENDING])
def test_the_card_reminds_of_what_is_held_or_to_be_paid(order: OrderFacts) -> None:
    facts = build_facts(order, raffles=(SUMMER, WINTER))
    text = raffle_links.build_link_text("x", link=RaffleLink(SUMMER.id))

    (reply,) = flow.step(State.MENU, Context(), TextReceived(text), facts).replies

    assert "12:30" in reply.body


@walk_cases("state", State)
def test_a_raffle_that_is_not_among_the_facts_is_looked_up(state: State) -> None:
    step = follow(state, 77)

    assert (step.effect, step.lookup, step.replies) == (None, LookUpRaffle(77), ())


@walk_cases(
    ("reason", "note"),
    [
        ("paused", "*Winter Raffle* is paused at the moment."),
        ("closed", "The sale of *Winter Raffle* is over."),
        ("drawn", "*Winter Raffle* has been drawn already: write *who won*."),
        ("cancelled", "*Winter Raffle* was called off."),
        ("not_yet", "The sale of *Winter Raffle* has not begun yet."),
    ],
)
def test_a_raffle_that_is_not_on_sale_is_explained_above_the_menu(reason: str, note: str) -> None:
    found = RaffleFound(replace(WINTER, not_selling_reason=reason))

    step = flow.step(State.WAIT_PROOF, Context(draft_order_id=10), found, build_facts(PENDING))

    (reply,) = step.replies
    assert reply.body.startswith(f"{note}\n\n*Summer Raffle*")
    assert "R-7K3F9" in reply.body


def test_the_own_raffle_of_a_buyer_is_explained_without_looking_it_up() -> None:
    drawn = replace(WINTER, not_selling_reason="drawn")
    text = raffle_links.build_link_text("x", link=RaffleLink(WINTER.id))

    step = flow.step(
        State.DONE, Context(), TextReceived(text), build_facts(replace(PAID, raffle=drawn))
    )

    assert step.lookup is None
    assert step.replies[0].body.startswith("*Winter Raffle* has been drawn already")


@pytest.mark.parametrize("raffles", [(), (SUMMER,), (SUMMER, WINTER)])
def test_an_unknown_raffle_is_explained_above_the_menu(raffles: tuple[RaffleFacts, ...]) -> None:
    facts = build_facts(raffles=raffles)

    (reply,) = flow.step(State.MENU, Context(), RaffleFound(None), facts).replies

    assert reply.body.startswith("I cannot find the raffle of that link.")
