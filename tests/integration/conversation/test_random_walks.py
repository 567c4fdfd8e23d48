"""Random walks of buyers while the seller decides and time passes.

CI takes few walks, the same ones each time. Four hundred others, on both databases:

    uv run pytest --hypothesis-profile=thorough --timeout=3600 \
        tests/integration/conversation/test_random_walks.py
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.core import config
from shared.core.constants import ALBUM_WINDOW
from shared.core.enums import ProofStatus, RaffleStatus, RejectReason, SilenceReason
from shared.core.errors import DomainError
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.services.payment_proofs import review_clock
from shared.raffles.services.ticket_numbers import inventory
from shared.use_cases import order_endings, payments, proof_files
from shared.whatsapp.models import InboundMessage, OutboundMessage
from tests import builders, meta_limits
from tests.integration.conversation.chat import BuyerChat, list_choices, render_body
from tests.unit.conversation.sentences.meanings import load_sentences

pytestmark = [pytest.mark.django_db, pytest.mark.acceptance]

TEXTS = [
    "hi", "menu", "HELP", "cancel", "cancle", "yes", "no", "5", "3 random", "07, 13", "1-9",
    "random", "pick", "person", "stop", "start",
    "my tickets", "done", "how to pay", "thanks", "0", "99999", "five tickets",
    "1-500", "summer", "winter", "😀", "", "*", "a" * 4096, "ﷺ" * 300, "13; 45 & 2", "buy more",
    "#07", "and 21", "+3", "7.5", "10-20 tickets", "lucky 13", "07-13-25", "other numbers",
    "and 3 random", "1,000", "keep it", "paid", "the first one", "$5", "the 5 one", "second",
    "rules", "ruels", "who won", "results", "verify 07", "verify", "check 5", "verify 99999",
    "I am 18", "I'm 17",
]  # fmt: skip

SENTENCES: Final = tuple(dict.fromkeys(each.texts for each in load_sentences()))
"""What buyers type, of all scenes: here it may come at any moment. Some are several messages."""

MENU_KEYS: Final = frozenset({"card", "raffle_list", "no_raffles"})
RECEIPT_KEYS: Final = frozenset(
    {
        "how_to_pay",
        "proof_received",
        "proof_added",
        "proof_for_several",
        "late_proof",
        "late_proof_secured",
    }
)
"""Messages without a button or a question: they ask for a receipt, or the seller's turn is next."""

MAX_WALKS: Final = settings().max_examples // 5
"""Ten walks in the usual profile: one takes much longer than an example of other tests."""


@dataclass(frozen=True)
class WalkStep:
    """One step of a walk; `pick` selects one of the possible actions."""

    kind: str
    pick: int


walk_steps = st.builds(
    WalkStep,
    st.sampled_from(
        ["says"] * 4
        + ["types"] * 8
        + ["taps"] * 8
        + ["picture", "receipt", "receipt", "code", "anything"]
        + ["confirm", "reject", "cancel", "lose", "time", "long", "pause"]
    ),
    st.integers(0, 20_000),
)


@contextmanager
def roll_back_afterwards() -> Iterator[None]:
    point = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(point)


def _send_text(chat: BuyerChat, pick: int) -> None:
    chat.says(TEXTS[pick % len(TEXTS)])


def _type_sentence(chat: BuyerChat, pick: int) -> None:
    *first, last = SENTENCES[pick % len(SENTENCES)]
    for text in first:
        chat.receives("text", {"text": {"body": text}})
    chat.says(last)


def _tap_choice(chat: BuyerChat, pick: int) -> None:
    seen = [choice for message in chat.list_messages() for choice in list_choices(message)]
    tap_id, title = seen[-1 - pick % min(len(seen), 25)] if seen else ("r1:menu", "Menu")
    chat.taps_id(tap_id, title)


def _send_picture(chat: BuyerChat, pick: int) -> None:
    chat.sends_picture()


def _send_receipt(chat: BuyerChat, pick: int) -> None:
    """Send a picture with the codes of orders below it, or as a reply to a message."""
    codes = list_codes(pick)
    sent = [message for message in chat.list_messages() if message.about]
    if pick % 3 and codes:
        chat.sends_picture(caption=" ".join(codes[: pick % 3]))
    elif sent:
        message = sent[pick % len(sent)]
        OutboundMessage.objects.filter(pk=message.pk).update(wa_message_id=f"wamid.{message.pk}")
        chat.sends_picture(replying_to=f"wamid.{message.pk}")
    else:
        chat.sends_picture(caption="R-ZZZZZ")


def _send_code(chat: BuyerChat, pick: int) -> None:
    chat.says(" ".join(list_codes(pick)[: 1 + pick % 2]) or "R-ZZZZZ")


def list_codes(pick: int) -> list[str]:
    """Return the codes of all orders, of any buyer, from a place that `pick` chooses on."""
    codes = [order.code or "" for order in Order.objects.order_by("pk")]
    place = pick % len(codes) if codes else 0
    return [*codes[place:], *codes[:place]]


def _send_other_kind(chat: BuyerChat, pick: int) -> None:
    kinds = ["audio", "video", "sticker", "location", "contacts", "order", "document", "unheard"]
    chat.sends_anything(kinds[pick % len(kinds)])


def _decide_order(chat: BuyerChat, pick: int, act: Callable[[Order], object]) -> None:
    orders = list(Order.objects.order_by("pk"))
    if orders:
        try:
            act(orders[pick % len(orders)])
        except DomainError:
            return  # a refusal is fine as long as the inventory adds up


def _perform_step(chat: BuyerChat, act: WalkStep) -> None:
    by, now = builders.build_staff_actor(), chat.now
    match act.kind:
        case "confirm":
            _decide_order(chat, act.pick, lambda o: payments.confirm_payment(o.pk, by=by, now=now))
        case "reject":
            reason = list(RejectReason)[act.pick % len(RejectReason)]
            _decide_order(
                chat,
                act.pick,
                lambda o: payments.reject_payment(o.pk, reason=reason, note="look", by=by, now=now),
            )
        case "cancel":
            _decide_order(
                chat, act.pick, lambda o: order_endings.cancel_order(o.pk, by=by, now=now)
            )
        case "lose":
            waiting = list(
                PaymentProof.objects.filter(status=ProofStatus.FETCHING, shared_from=None)
            )
            if waiting:
                proof_files.record_proof_fetch_failure(
                    waiting[act.pick % len(waiting)].pk, error="gone", retry_at=None, now=now
                )
        case "time":
            chat.later(minutes=act.pick % 20)
        case "long":
            order_endings.expire_due_orders(now=chat.later(minutes=40).now)
        case "pause":
            status = (RaffleStatus.OPEN, RaffleStatus.PAUSED)[act.pick % 2]
            Raffle.objects.filter(pk=Raffle.objects.earliest("pk").pk).update(status=status)


BUYER_STEPS: dict[str, Callable[[BuyerChat, int], None]] = {
    "says": _send_text,
    "types": _type_sentence,
    "taps": _tap_choice,
    "picture": _send_picture,
    "receipt": _send_receipt,
    "code": _send_code,
    "anything": _send_other_kind,
}


@given(
    has_choice=st.booleans(),
    walk=st.lists(st.tuples(st.integers(0, 1), walk_steps), min_size=20, max_size=40),
)
@settings(
    max_examples=MAX_WALKS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_random_walk_never_gets_stuck_is_accepted_by_meta_and_leaves_the_inventory_whole(
    db: None, has_choice: bool, walk: list[tuple[int, WalkStep]]
) -> None:
    with roll_back_afterwards():
        builders.create_raffle(numbers=30, max_per_contact=25)
        if has_choice:
            builders.create_raffle(
                numbers=12, title="Winter Raffle", max_per_order=5, adults_only=True
            )
        chats = [BuyerChat(), BuyerChat()]
        for who, act in walk:
            chat = chats[who]
            for other in chats:
                other.now = chat.now = max(chat.now, other.now)
            if act.kind in BUYER_STEPS:
                _assert_one_reply(chat, act)
            else:
                _perform_step(chat, act)
        _assert_person_can_be_called(chats[1])
        for chat in chats:
            _assert_menu_leads_out(chat)
            for message in chat.list_messages():
                assert meta_limits.find_message_faults(message.payload) == []
        _assert_reviews_have_proofs()
        assert inventory.find_inventory_problems() == []


def _assert_one_reply(chat: BuyerChat, act: WalkStep) -> None:
    """Check that a message gets one reply, which says how to go on, or that it may be quiet.

    Messages that wait together may share a reply.
    """
    replies_before, texts_before = len(chat.list_messages()), count_texts(chat)
    BUYER_STEPS[act.kind](chat, act.pick)
    chat.gets_messages()
    replies = chat.list_messages()[replies_before:]
    if not replies:
        may_be_quiet = act.kind in {"picture", "receipt"} and _was_just_acknowledged(chat)
        assert may_be_quiet or _is_left_in_silence(chat), "an answer is missing"
        return
    assert len(replies) <= max(1, count_texts(chat) - texts_before)
    for reply in replies:
        assert _shows_next_step(reply), f"nothing to do next: {render_body(reply)}"


def count_texts(chat: BuyerChat) -> int:
    """Return how many texts the buyer has written."""
    return InboundMessage.objects.filter(contact=chat.contact, type="text").count()


def _shows_next_step(message: OutboundMessage) -> bool:
    """Whether a message has a button or a row, asks something, or is about a receipt."""
    has_question = bool(list_choices(message)) or "?" in render_body(message)
    return has_question or message.key in RECEIPT_KEYS


def _assert_menu_leads_out(chat: BuyerChat) -> None:
    """Check that the word MENU shows the menu, at once or when a loop or flood is over."""
    (menu,) = _write_and_wait(chat, "menu")
    assert menu.key in MENU_KEYS
    assert list_choices(menu)


def _assert_person_can_be_called(chat: BuyerChat) -> None:
    """Check that the word PERSON calls one, unless the buyer waits for one already."""
    keys = [message.key for message in _write_and_wait(chat, "person")]
    assert keys in (["person_told"], [])
    chat.contact.refresh_from_db()
    assert chat.contact.wants_person_at


def _write_and_wait(chat: BuyerChat, word: str) -> list[OutboundMessage]:
    """Write a word, and once more after an hour if the bot was silent; return the answer."""
    answer = chat.says(word)
    if _is_left_in_silence(chat):
        answer = chat.later(hours=1, minutes=1).says(word)
    return answer


def _is_left_in_silence(chat: BuyerChat) -> bool:
    """Whether the buyer's last message was one of too many that lead nowhere."""
    last = InboundMessage.objects.filter(contact=chat.contact).latest("pk")
    return last.error in set(SilenceReason)


def _was_just_acknowledged(chat: BuyerChat) -> bool:
    return OutboundMessage.objects.filter(
        contact=chat.contact, created_at__gt=chat.now - ALBUM_WINDOW
    ).exists()


def _assert_reviews_have_proofs() -> None:
    """Check that no clock stands still for a proof that nobody can see, and no limit is broken."""
    under_review = Order.objects.filter(under_review_since__isnull=False)
    assert all(review_clock.has_pending_proof(order) for order in under_review)
    limit = config.get_settings().max_orders_under_review
    per_buyer = Counter(order.contact_id for order in under_review)
    assert all(count <= limit for count in per_buyer.values())
