"""Counts and money of a raffle in its record.

The items are those that Alaska asks for (15 AAC 160.670), without the winners' identities, which
are in the operator's own file.
"""

from decimal import Decimal
from typing import Any

from shared.core.enums import LedgerKind
from shared.raffles import receipt_lines
from shared.raffles.services.draws import claim_deadlines
from shared.raffles.services.draws.records.draw_document import format_time
from shared.raffles.services.draws.records.record_state import RecordState


def build_summary(state: RecordState) -> dict[str, Any]:
    """Return the content of summary.json; it names no buyer and no member of staff."""
    raffle, sealed = state.raffle, state.sealed
    none = Decimal("0.00")
    money_in = state.money.get(LedgerKind.CONFIRMED, none) - state.money.get(
        LedgerKind.UNDONE, none
    )
    money_back = state.money.get(LedgerKind.REFUNDED, none)
    return {
        "reference": receipt_lines.build_raffle_reference(raffle.pk),
        "title": raffle.title,
        "promoter": raffle.promoter,
        "permit_number": raffle.permit_number,
        "rules_link": raffle.rules_url,
        "tickets_printed": raffle.number_count,
        "tickets_sold": sealed.count,
        "tickets_unsold": sealed.unsold,
        "price": _format_amount(raffle.price),
        "currency": raffle.currency,
        "money_in": _format_amount(money_in),
        "money_back": _format_amount(money_back),
        "draw_announced_for": format_time(raffle.draw_at),
        "drawn_at": format_time(state.results[0].at) if state.results else None,
        "place": [source.url or source.name for source in state.sources]
        or sorted({reading.link for reading in state.readings if reading.link}),
        "prizes": _list_prizes(state),
        "refunds_after_sealing": [
            {
                "entry": refund.order.receipt_entry,
                "tickets": refund.quantity,
                "amount": _format_amount(refund.amount),
                "at": format_time(refund.at),
            }
            for refund in state.refunds
        ],
    }


def _list_prizes(state: RecordState) -> list[dict[str, Any]]:
    latest = state.list_latest_results()
    prizes = []
    for prize in state.prizes:
        result = latest.get(prize.pk)
        claim = state.claims.get(result.pk) if result is not None else None
        prizes.append(
            {
                "prize": prize.position,
                "title": prize.title,
                "number": state.raffle.format_ticket_number(result.number) if result else None,
                "winner_confirmed_at": format_time(claim.confirmed_at) if claim else None,
                "claimed_at": format_time(claim.claimed_at) if claim else None,
                "claim_until": format_time(claim_deadlines.compute_claim_deadline(result))
                if result
                else None,
            }
        )
    return prizes


def _format_amount(amount: Decimal) -> str:
    return f"{amount:.2f}"
