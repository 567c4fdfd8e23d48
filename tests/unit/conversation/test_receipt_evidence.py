"""The order of a picture, as a table: every state and evidence with the buyer's orders."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Final

import pytest

from shared.conversation import button_ids, flow
from shared.conversation.button_ids import ButtonAction
from shared.conversation.context import Context
from shared.conversation.conversation_events import (
    ButtonTapped,
    EffectRefused,
    PictureReceived,
    ProofAddedToOrder,
    ProofWithoutOrder,
    TextReceived,
)
from shared.conversation.facts.values import Facts, OrderFacts
from shared.conversation.values import AssignProof, KeepProof, Step
from shared.core.enums import Mode, OrderStatus, State, UnplacedReason
from tests import meta_limits
from tests.cases import walk_cases
from tests.unit.conversation.sample_facts import SUMMER, WINTER, build_facts, build_order

A_CODE, B_CODE = "R-7K3F9", "R-8K3F9"
SPRING = replace(SUMMER, id=3, title="Spring Raffle")


def a(**changes: object) -> OrderFacts:
    """Build the first order, of $15.00 in the Summer Raffle, which waits for payment."""
    return build_order(**changes)


def b(**changes: object) -> OrderFacts:
    """Build the second order, of $5.00 in the Winter Raffle, which waits for payment."""
    usual: dict[str, object] = {
        "id": 11,
        "code": B_CODE,
        "raffle": WINTER,
        "numbers": (8,),
        "total": Decimal("5.00"),
    }
    return build_order(**usual | changes)


HELD = {"status": OrderStatus.DRAFT}
REVIEWED = {"under_review": True, "expires_at": None}
PAID = {"status": OrderStatus.PAID, "expires_at": None}
EXPIRED = {"status": OrderStatus.EXPIRED}
CANCELLED = {"status": OrderStatus.CANCELLED}
IN_SUMMER = {"raffle": SUMMER}


def ask(*order_ids: int) -> KeepProof:
    return KeepProof(None, candidates=order_ids, reason=UnplacedReason.SEVERAL_ORDERS)


def unknown(*order_ids: int) -> KeepProof:
    return KeepProof(None, candidates=order_ids, reason=UnplacedReason.UNKNOWN_CODE)


NOTHING: Final = PictureReceived()
REPLY_TO_A: Final = PictureReceived(10)
CAPTION_A: Final = PictureReceived(caption=f"paid for {A_CODE}")
TEXT_A: Final = PictureReceived(texts_before=("here it comes", f"order {A_CODE.lower()}"))

type Case = tuple[PictureReceived, tuple[OrderFacts, ...], KeepProof]

CASES: Final[Mapping[str, Case]] = {
    # (a) an order code in the caption or in words nearby
    "caption, two orders in two raffles": (CAPTION_A, (a(), b()), KeepProof(10)),
    "caption, other order under review": (CAPTION_A, (a(), b(**REVIEWED)), KeepProof(10)),
    "caption against a reply": (
        replace(CAPTION_A, order_id=11), (a(), b()), KeepProof(10),
    ),
    "caption of a hold": (CAPTION_A, (a(**HELD), b()), KeepProof(10)),
    "caption of one under review": (CAPTION_A, (a(**REVIEWED), b()), KeepProof(10)),
    "caption of a paid order": (CAPTION_A, (a(**PAID), b()), KeepProof(10)),
    "caption of a cancelled order": (CAPTION_A, (a(**CANCELLED), b()), KeepProof(10)),
    "caption of an expired order": (CAPTION_A, (a(**EXPIRED), b()), KeepProof(10)),
    "caption of an expired order, numbers taken again": (
        CAPTION_A, (a(**EXPIRED), b(**IN_SUMMER, numbers=a().numbers)), KeepProof(11),
    ),
    "caption without the R": (PictureReceived(caption="7k3f9"), (a(), b()), KeepProof(10)),
    "caption with both codes": (
        PictureReceived(caption=f"{B_CODE} + {A_CODE}"), (a(), b()), KeepProof(11, also=(10,)),
    ),
    "caption with the codes of one order and its successor": (
        PictureReceived(caption=f"{A_CODE} {B_CODE}"),
        (a(**EXPIRED), b(**IN_SUMMER, numbers=a().numbers)),
        KeepProof(11),
    ),
    "caption with a code of nobody's": (
        PictureReceived(caption="R-ZZZZZ"), (a(), b()), unknown(10, 11),
    ),
    "caption with a code of nobody's, one order": (
        PictureReceived(caption="R-ZZZZZ"), (a(),), unknown(10),
    ),
    "caption with a code of nobody's, nothing due": (
        PictureReceived(caption="R-ZZZZZ"), (a(**REVIEWED),), unknown(),
    ),
    "caption with a code of nobody's, and a reply": (
        PictureReceived(10, caption="R-ZZZZZ"), (a(), b()), KeepProof(10),
    ),
    "caption with a word like a code": (PictureReceived(caption="payed"), (a(),), KeepProof(10)),
    "text before": (TEXT_A, (a(), b()), KeepProof(10)),
    "text before, but a caption": (
        replace(TEXT_A, caption=B_CODE), (a(), b()), KeepProof(11),
    ),
    "text before against a reply": (replace(TEXT_A, order_id=11), (a(), b()), KeepProof(10)),
    "text before that was about the picture before": (
        replace(TEXT_A, previous_order_id=10), (a(**REVIEWED), b()), KeepProof(11),
    ),
    # (b) the message replied to, if its order still holds its numbers
    "reply": (REPLY_TO_A, (a(), b()), KeepProof(10)),
    "reply to a hold": (REPLY_TO_A, (a(**HELD), b()), KeepProof(10)),
    "reply to one under review": (REPLY_TO_A, (a(**REVIEWED), b()), KeepProof(10)),
    "reply to an expired order, numbers taken again": (
        REPLY_TO_A, (a(**EXPIRED), b(**IN_SUMMER, numbers=a().numbers)), KeepProof(11),
    ),
    "reply to an expired order, numbers taken again with another": (
        REPLY_TO_A,
        (a(**EXPIRED), b(**IN_SUMMER, numbers=(7, 8, 213, 845)), b(id=12, code="R-9K3F9")),
        KeepProof(11),
    ),
    "reply to an expired order, numbers held again": (
        REPLY_TO_A, (a(**EXPIRED), b(**IN_SUMMER, **HELD, numbers=a().numbers)), KeepProof(11),
    ),
    "reply to an expired order, numbers under review again": (
        REPLY_TO_A,
        (a(**EXPIRED), b(**IN_SUMMER, **REVIEWED, numbers=a().numbers), b(id=12, code="R-9K3F9")),
        KeepProof(11),
    ),
    "reply to an expired order, numbers paid meanwhile": (
        REPLY_TO_A, (a(**EXPIRED), b(**IN_SUMMER, **PAID, numbers=a().numbers)), KeepProof(11),
    ),
    "reply to an expired order, other numbers due": (
        REPLY_TO_A, (a(**EXPIRED), b(**IN_SUMMER)), KeepProof(11),
    ),
    "reply to an expired order, another raffle due": (
        REPLY_TO_A, (a(**EXPIRED), b()), KeepProof(11),
    ),
    "reply to an expired order, nothing due": (
        REPLY_TO_A, (a(**EXPIRED), b(**REVIEWED)), KeepProof(10),
    ),
    "reply to a paid order, another due": (REPLY_TO_A, (a(**PAID), b()), KeepProof(11)),
    "reply to a paid order, a hold": (REPLY_TO_A, (a(**PAID), b(**HELD)), KeepProof(11)),
    "reply to a paid order, nothing due": (REPLY_TO_A, (a(**PAID), b(**PAID)), KeepProof(10)),
    "reply to a cancelled order, another due": (
        REPLY_TO_A, (a(**CANCELLED), b()), KeepProof(11),
    ),
    "reply to a cancelled order, nothing due": (
        REPLY_TO_A, (a(**CANCELLED), b(**PAID)), KeepProof(10),
    ),
    # (c) the newest order or unconfirmed hold that wants payment
    "one order": (NOTHING, (a(),), KeepProof(10)),
    "one hold": (NOTHING, (a(**HELD),), KeepProof(10)),
    "a hold while another is under review": (NOTHING, (a(**REVIEWED), b(**HELD)), KeepProof(11)),
    "an older hold while another is under review": (
        NOTHING, (a(**HELD), b(**REVIEWED)), KeepProof(10),
    ),
    "a hold in the raffle of one under review": (
        NOTHING, (a(**REVIEWED), b(**IN_SUMMER, **HELD)), KeepProof(11),
    ),
    "an order while another is under review": (NOTHING, (a(**REVIEWED), b()), KeepProof(11)),
    "a paid one and a due one": (NOTHING, (a(), b(**PAID)), KeepProof(10)),
    "an ended one and a due one": (NOTHING, (a(), b(**EXPIRED)), KeepProof(10)),
    "a better proof was asked for": (
        NOTHING, (a(**REVIEWED, asked_again=True), b(**REVIEWED)), KeepProof(10),
    ),
    "two due in one raffle": (NOTHING, (a(), b(**IN_SUMMER)), KeepProof(11)),
    "a free hold and a due one": (
        NOTHING, (a(), b(**HELD, total=Decimal(0))), KeepProof(10),
    ),
    "one whose draw has come and a due one": (
        NOTHING, (a(raffle=replace(SUMMER, draw_time_reached=True)), b()), KeepProof(11),
    ),
    "only one whose draw has come": (
        NOTHING, (a(raffle=replace(SUMMER, draw_time_reached=True)),), KeepProof(10),
    ),
    # (d) a question
    "two due in two raffles": (NOTHING, (a(), b()), ask(10, 11)),
    "an order and a hold in two raffles": (NOTHING, (a(), b(**HELD)), ask(10, 11)),
    "a better proof and a due one": (
        NOTHING, (a(**REVIEWED, asked_again=True), b()), ask(10, 11),
    ),
    "a better proof and a hold in one raffle": (
        NOTHING, (a(**REVIEWED, asked_again=True), b(**IN_SUMMER, **HELD)), ask(10, 11),
    ),
    "an album while another order is due": (
        PictureReceived(previous_order_id=10, is_in_album=True),
        (a(**REVIEWED), b()),
        ask(10, 11),
    ),
    # nothing is due
    "one more page of an album": (
        PictureReceived(previous_order_id=10, is_in_album=True),
        (a(**REVIEWED), b(**REVIEWED)),
        KeepProof(10),
    ),
    "one more picture soon after": (
        PictureReceived(previous_order_id=10), (a(**REVIEWED), b(**REVIEWED)), KeepProof(10),
    ),
    "two under review": (NOTHING, (a(**REVIEWED), b(**REVIEWED)), KeepProof(11)),
    "under review and paid": (NOTHING, (a(**REVIEWED), b(**PAID)), KeepProof(10)),
    "expired": (NOTHING, (a(**EXPIRED),), KeepProof(10)),
    "expired, then a hold that ended": (
        NOTHING, (a(**EXPIRED), b(**CANCELLED, was_placed=False)), KeepProof(10),
    ),
    "a hold that was given back": (NOTHING, (a(**CANCELLED, was_placed=False),), KeepProof(None)),
    "the code of a hold that was given back": (
        CAPTION_A, (a(**CANCELLED, was_placed=False),), KeepProof(10),
    ),
    "a hold that ended": (NOTHING, (a(**EXPIRED, was_placed=False),), KeepProof(10)),
    "paid": (NOTHING, (a(**PAID),), KeepProof(10)),
    "cancelled": (NOTHING, (a(**CANCELLED),), KeepProof(10)),
    "no order": (NOTHING, (), KeepProof(None)),
}  # fmt: skip


@walk_cases("name", CASES)
def test_a_picture_goes_by_evidence_and_not_by_state(name: str) -> None:
    picture, orders, expected = CASES[name]
    known = build_facts(*orders, raffles=(SUMMER, WINTER))
    for state, draft_order_id in product(State, (None, 10, 11)):
        context = Context(raffle_id=1, mode=Mode.PICK, draft_order_id=draft_order_id)

        step = flow.step(state, context, picture, known)

        assert step.effect == expected, (state, draft_order_id)


def ask_which(*orders: OrderFacts, state: State = State.MENU) -> tuple[Step, Facts]:
    known = build_facts(*orders, raffles=(SUMMER, WINTER))
    stored = ProofWithoutOrder(
        77, UnplacedReason.SEVERAL_ORDERS, tuple(order.id for order in orders)
    )
    return flow.step(state, Context(raffle_id=1), stored, known), known


class TestQuestion:
    @walk_cases("state", State)
    @walk_cases(
        ("text", "order_id"),
        [
            (A_CODE, 10),
            ("8k3f9", 11),
            ("the first one", 10),
            ("1", 10),
            ("second", 11),
            ("the 15 one", 10),
            ("$5", 11),
            ("winter", 11),
            ("Summer Raffle", 10),
        ],
    )
    def test_is_answered_in_words_in_every_state(
        self, state: State, text: str, order_id: int
    ) -> None:
        asked, known = ask_which(a(), b(), state=state)
        known = replace(known, unplaced_proof_id=77)

        answered = flow.step(asked.state, asked.context, TextReceived(text), known)

        assert answered.effect == AssignProof(77, order_id)

    @walk_cases("state", State)
    def test_is_answered_by_a_tap(self, state: State) -> None:
        asked, known = ask_which(a(), b(), state=state)
        tap = ButtonTapped(asked.replies[0].buttons[1].id)

        assert flow.step(asked.state, asked.context, tap, known).effect == AssignProof(77, 11)

    @walk_cases("state", State)
    @walk_cases("text", ["7", "the 99 one", "asdf jkl"])
    def test_is_repeated_for_what_is_no_answer(self, state: State, text: str) -> None:
        asked, known = ask_which(a(), b(), state=state)

        again = flow.step(asked.state, asked.context, TextReceived(text), known)

        assert again.effect is None, "no number is taken for anything else"
        if text.isdecimal() or "99" in text:
            assert again.replies[0].key == "which_order"
            assert again.context.proof_id == 77

    @walk_cases("state", State)
    def test_is_left_to_the_seller_with_a_no(self, state: State) -> None:
        asked, known = ask_which(a(), b(), state=state)

        left = flow.step(asked.state, asked.context, TextReceived("no"), known)

        assert left.replies[0].key == "kept_for_seller"
        assert left.context.proof_id is None

    @walk_cases("state", State)
    def test_is_closed_by_anything_else_that_is_understood(self, state: State) -> None:
        asked, known = ask_which(a(), b(), state=state)

        shown = flow.step(asked.state, asked.context, TextReceived("my tickets"), known)
        later = flow.step(shown.state, shown.context, TextReceived("1"), known)

        assert not isinstance(later.effect, AssignProof)

    @walk_cases("state", State)
    def test_stays_open_while_more_pictures_come(self, state: State) -> None:
        asked, known = ask_which(a(), b(), state=state)
        sent = flow.step(asked.state, asked.context, PictureReceived(), known)
        quiet = ProofWithoutOrder(78, UnplacedReason.SEVERAL_ORDERS, (10, 11), quiet=True)

        stored = flow.step(sent.state, sent.context, quiet, known)

        assert stored.replies == ()
        assert stored.context.proof_id == 77

    @walk_cases("state", State)
    def test_is_asked_again_about_a_picture_after_the_answer(self, state: State) -> None:
        _, known = ask_which(a(), b(), state=state)
        quiet = ProofWithoutOrder(78, UnplacedReason.SEVERAL_ORDERS, (10, 11), quiet=True)

        stored = flow.step(state, Context(raffle_id=1), quiet, known)

        assert stored.replies[0].key == "which_order"


def build_many(count: int) -> list[OrderFacts]:
    return [
        b(id=20 + place, code=f"R-{place:02}XYZ", raffle=replace(WINTER, id=20 + place))
        for place in range(count)
    ]


class TestQuestionShape:
    @pytest.mark.parametrize("count", [1, 2, 3, 4, 10, 14])
    def test_fits_what_meta_accepts_however_many_orders_there_are(self, count: int) -> None:
        orders = [replace(order, total=Decimal("9999999.99")) for order in build_many(count)]

        asked, known = ask_which(*orders)

        reply = asked.replies[0]
        assert meta_limits.find_message_faults(reply.to_whatsapp_message()) == []
        assert len(reply.buttons or reply.rows) == min(count, 10)
        first = flow.step(
            asked.state, asked.context, ButtonTapped((reply.buttons or reply.rows)[0].id), known
        )
        assert first.effect == AssignProof(77, orders[0].id)

    def test_names_code_amount_and_raffle(self) -> None:
        asked, _ = ask_which(a(), b())

        assert asked.replies[0].body.splitlines()[1:] == [
            "1. R-7K3F9 · $15.00 · *Summer Raffle*",
            "2. R-8K3F9 · $5.00 · *Winter Raffle*",
        ]

    def test_after_an_unknown_code_without_any_order_is_not_asked(self) -> None:
        stored = ProofWithoutOrder(77, UnplacedReason.UNKNOWN_CODE)

        step = flow.step(State.MENU, Context(), stored, build_facts())

        assert step.replies[0].key == "orphan_proof"


class TestOrderCode:
    @walk_cases("state", State)
    @walk_cases(
        ("order", "key"),
        [
            (a(), "still_to_pay"),
            (a(**HELD), "held"),
            (a(**REVIEWED), "under_review"),
            (a(**PAID), "all_done"),
        ],
    )
    def test_shows_its_order_in_every_state(
        self, state: State, order: OrderFacts, key: str
    ) -> None:
        known = build_facts(order, b(), raffles=(SUMMER, WINTER))

        step = flow.step(state, Context(draft_order_id=11), TextReceived("r 7k3f9"), known)

        assert (step.replies[0].key, step.context.draft_order_id) == (key, 10)

    @pytest.mark.parametrize(
        ("text", "key", "note"),
        [
            ("how to pay R-7K3F9?", "how_to_pay", ""),
            ("R-7K3F9 paid", "still_to_pay", "Thank you! Now I only need the receipt."),
        ],
    )
    def test_is_understood_with_words_around_it(self, text: str, key: str, note: str) -> None:
        step = flow.step(State.MENU, Context(), TextReceived(text), build_facts(a(), b()))

        assert step.replies[0].key == key
        assert step.replies[0].body.startswith(note)

    def test_of_an_ended_order_says_so(self) -> None:
        step = flow.step(State.MENU, Context(), TextReceived(A_CODE), build_facts(a(**EXPIRED)))

        assert "ran out" in step.replies[0].body

    def test_places_a_picture_that_came_shortly_before(self) -> None:
        known = replace(build_facts(a(**PAID), b()), unplaced_proof_id=77)

        step = flow.step(State.MENU, Context(), TextReceived(A_CODE), known)

        assert step.effect == AssignProof(77, 10)

    def test_places_a_picture_for_both_orders_that_are_named(self) -> None:
        known = replace(build_facts(a(), b()), unplaced_proof_id=77)

        step = flow.step(State.MENU, Context(), TextReceived(f"{B_CODE} and {A_CODE}"), known)

        assert step.effect == AssignProof(77, 11, also=(10,))

    def test_of_nobody_is_said_to_be_unknown(self) -> None:
        known = build_facts(a())

        step = flow.step(
            State.WAIT_PROOF, Context(draft_order_id=10), TextReceived("R-ZZZZZ"), known
        )

        assert step.replies[0].body.startswith("I know no order of yours with that code.")
        assert step.context.misses == 0


class TestPaymentWords:
    @walk_cases("state", State)
    @walk_cases(
        ("order", "text", "key"),
        [
            (a(), "how to pay", "how_to_pay"),
            (a(), "paid", "still_to_pay"),
            (a(**HELD), "how to pay", "held"),
            (a(**HELD), "paid", "held"),
            (a(**REVIEWED), "how to pay", "under_review"),
            (a(**REVIEWED), "paid", "under_review"),
        ],
    )
    def test_are_understood_in_every_state(
        self, state: State, order: OrderFacts, text: str, key: str
    ) -> None:
        known = build_facts(order, raffles=(SUMMER, WINTER))
        menu = flow.step(state, Context(draft_order_id=10), TextReceived("menu"), known)

        for start in (Step(state, Context()), menu):
            step = flow.step(start.state, start.context, TextReceived(text), known)

            assert (step.replies[0].key, step.context.draft_order_id) == (key, 10)

    @walk_cases("state", State)
    @walk_cases("text", ["how to pay", "paid"])
    def test_ask_which_of_several_orders_is_meant(self, state: State, text: str) -> None:
        known = build_facts(a(), b(), raffles=(SUMMER, WINTER))

        step = flow.step(State.MENU, Context(), TextReceived(text), known)
        tapped = flow.step(state, Context(), ButtonTapped(step.replies[0].buttons[1].id), known)

        assert step.replies[0].key == "pay_which"
        assert tapped.replies[0].about == B_CODE
        assert tapped.replies[0].key == "how_to_pay"

    @walk_cases("state", State)
    @walk_cases("text", ["how to pay", "paid"])
    def test_show_the_order_that_the_conversation_is_about(self, state: State, text: str) -> None:
        known = build_facts(a(), b(), raffles=(SUMMER, WINTER))

        step = flow.step(State.WAIT_PROOF, Context(draft_order_id=11), TextReceived(text), known)

        assert step.replies[0].about == B_CODE


class TestAcknowledgement:
    def test_names_order_numbers_and_raffle(self) -> None:
        step = flow.step(
            State.WAIT_PROOF, Context(), ProofAddedToOrder(10), build_facts(a(**REVIEWED))
        )

        for words in (A_CODE, "007 · 213 · 845", "Summer Raffle", "We are checking the payment"):
            assert words in step.replies[0].body

    def test_for_a_paid_order_says_that_it_is_kept_for_the_seller(self) -> None:
        step = flow.step(
            State.MENU, Context(), ProofAddedToOrder(10, first=False), build_facts(a(**PAID))
        )

        body = step.replies[0].body
        assert "is paid already. I keep the receipt for Ana, +1 555 0100" in body
        assert "checking" not in body
        assert "ran out" not in body

    @pytest.mark.parametrize(
        ("ended", "words", "never"),
        [(CANCELLED, "was cancelled", "run out"), (EXPIRED, "had run out", "cancelled")],
    )
    def test_for_an_ended_order_says_how_it_ended(
        self, ended: dict[str, object], words: str, never: str
    ) -> None:
        added = ProofAddedToOrder(10, late=True, secured=False)

        step = flow.step(State.MENU, Context(), added, build_facts(a(**ended)))

        assert words in step.replies[0].body
        assert never not in step.replies[0].body

    def test_of_one_receipt_for_several_orders_names_each_with_its_state(self) -> None:
        known = build_facts(a(**REVIEWED), b(**PAID), b(id=12, code="R-9K3F9", **CANCELLED))

        step = flow.step(State.MENU, Context(), ProofAddedToOrder(10, also=(11, 12)), known)

        reply = step.replies[0]
        assert reply.key == "proof_for_several"
        _, first, second, third = reply.body.splitlines()
        assert first.startswith("· *R-7K3F9* (Summer Raffle): Your numbers *007 · 213 · 845* stay")
        assert second.startswith("· *R-8K3F9* (Winter Raffle): it is paid already; I keep")
        assert third.startswith("· *R-9K3F9* (Winter Raffle): The order was cancelled; Ana,")

    def test_beyond_the_limit_of_reviews_says_that_a_person_looks_later(self) -> None:
        stored = ProofWithoutOrder(77, UnplacedReason.REVIEW_LIMIT, (11,))

        step = flow.step(State.MENU, Context(), stored, build_facts(a(**REVIEWED), b()))

        assert (step.replies[0].key, step.replies[0].about) == ("review_limit", B_CODE)
        assert "not certain" in step.replies[0].body

    def test_of_a_file_that_cannot_be_opened_asks_for_another(self) -> None:
        refused = EffectRefused("proof_file_lost", {"order_id": 10})

        step = flow.step(State.MENU, Context(), refused, build_facts(a()))

        assert "could not open that picture" in step.replies[0].body
        assert step.replies[0].key == "still_to_pay"


def test_the_button_of_a_question_works_after_the_menu() -> None:
    tap = ButtonTapped(button_ids.build_button_id(ButtonAction.PROOF, 77, 11))

    step = flow.step(State.MENU, Context(), tap, build_facts(a(), b()))

    assert step.effect == AssignProof(77, 11)
