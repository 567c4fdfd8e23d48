"""The messages and alarms of a busy month."""

import json
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tests.benchmarks.support.rows import format_moment, insert_rows
from tests.builders import PHONE_NUMBER_ID

if TYPE_CHECKING:
    from tests.benchmarks.support.busy_month import Deal, Month

MINUTE: Final = timedelta(minutes=1)
BUYER_MESSAGES: Final = (
    ("text", "hi"),
    ("text", "3 random"),
    ("interactive", "Confirm"),
    ("image", ""),
)
BOT_MESSAGES: Final = (
    ("REPLY", "card", "*Summer Raffle* · win a motorbike\nDraw: Sat 12 Dec, 20:00 · $5.00"),
    ("REPLY", "held", "Held for you until 15:42: *000007 · 000213 · 000845*  Total $15.00"),
    ("REPLY", "to_pay", "Order *R-7K3F9* · please pay $15.00. Bank of Example, account 000-123."),
    ("REPLY", "proof_received", "Got it. We are checking the payment of order *R-7K3F9*."),
    ("NOTICE", "paid", "Paid. *000007 · 000213 · 000845* are yours. Good luck!"),
)
PAYLOADS: Final = tuple(
    json.dumps({"type": kind, kind: {"body": words}} if kind != "image" else {"type": "image"})
    for kind, words in BUYER_MESSAGES
)
BODIES: Final = tuple(
    json.dumps({"type": "text", "text": {"body": words}}) for _, _, words in BOT_MESSAGES
)
FAILED: Final = 300
WITHHELD: Final = 400
QUEUED: Final = 60
UNKNOWN: Final = 20
UNANSWERED: Final = 40


def write_messages(month: "Month") -> None:
    """Write the inbound and outbound messages of every order, and the alarms."""
    from shared.whatsapp.models import Alarm, BusinessNumber, InboundMessage, OutboundMessage

    insert_rows(
        InboundMessage,
        "id phone_number_id wa_message_id dedupe_key contact_id type text payload sent_at "
        "received_at status attempts error processed_at",
        _build_inbound_rows(month.deals),
    )
    insert_rows(
        OutboundMessage,
        "phone_number_id contact_id kind key payload about status attempts callback_data "
        "wa_message_id delivery error_code error created_at sent_at",
        _build_outbound_rows(month.deals, dice=random.Random(5)),
    )
    insert_rows(
        BusinessNumber,
        "phone_number_id display_phone_number last_webhook_at",
        [(PHONE_NUMBER_ID, "+1 555 010 0000", format_moment(month.now - MINUTE))],
    )
    names = "key title detail phone_number_id first_at last_at resolved_at resolved_by"
    insert_rows(Alarm, names, (_build_alarm_row(month, nth) for nth in range(420)))


def _build_alarm_row(month: "Month", nth: int) -> tuple[Any, ...]:
    at = format_moment(month.now - nth * 60 * MINUTE)
    title = "A message could not be answered"
    solved = (None, "") if nth < 12 else (at, "sofia")
    return (
        f"message_failed:{nth}",
        title,
        "It failed five times.",
        PHONE_NUMBER_ID,
        at,
        at,
        *solved,
    )


def _build_inbound_rows(deals: "list[Deal]") -> Iterator[tuple[Any, ...]]:
    key = 0
    for deal in deals:
        if deal.buyer is None:
            continue
        for nth, (kind, words) in enumerate(BUYER_MESSAGES[: 4 if deal.has_proof else 3]):
            key += 1
            at, name = format_moment(deal.at + (nth - 1) * MINUTE), f"wamid.in{key}"
            failed = key % 9000 == 0
            state = ("FAILED", 5, "KeyError: 'x'") if failed else ("PROCESSED", 1, "")
            yield (key, PHONE_NUMBER_ID, name, name, deal.buyer, kind, words, PAYLOADS[nth], at, at, *state, at)  # fmt: skip # noqa: E501


def _build_outbound_rows(deals: "list[Deal]", *, dice: random.Random) -> Iterator[tuple[Any, ...]]:
    key, last = 0, len(deals)
    for deal in deals:
        if deal.buyer is None:
            continue
        count = 5 if deal.status == "PAID" else 4 if deal.has_proof else 3
        for nth, (kind, name, _) in enumerate(BOT_MESSAGES[:count]):
            key += 1
            at = format_moment(deal.at + (nth - 1) * MINUTE + MINUTE / 30)
            status = _choose_outcome(deal, key, last=last, at=at, notice=kind == "NOTICE")
            unique = f"{dice.getrandbits(128):032x}"
            yield (PHONE_NUMBER_ID, deal.buyer, kind, name, BODIES[nth], "", *status[:2], unique, *status[2:6], at, status[6])  # fmt: skip # noqa: E501


def _choose_outcome(deal: "Deal", key: int, *, last: int, at: str, notice: bool) -> tuple[Any, ...]:
    """Return status, attempts, wamid, delivery, error code, error text and time of sending."""
    if key % 1500 == 0:
        return ("FAILED", 1, "", "", 131026, "The message could not be delivered.", None)
    if notice and key % 170 == 0:
        return ("WITHHELD", 1, "", "", 131047, "More than 24 hours since the buyer wrote.", None)
    if deal.key > last - QUEUED and key % 2:
        return ("QUEUED", 0, "", "", None, "", None)
    if deal.key > last - QUEUED - UNKNOWN and key % 2:
        return ("UNKNOWN", 1, "", "", None, "", None)
    return ("SENT", 1, f"wamid.out{key}", "read" if key % 5 else "delivered", None, "", at)
