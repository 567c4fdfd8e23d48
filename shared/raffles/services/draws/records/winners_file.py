"""The operator's own part of a record: who won, who decided, and the photos; never published."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, Any

from shared.raffles import receipt_lines
from shared.raffles.draws.draw_models import SourceReading
from shared.raffles.models import Raffle, RaffleEvent
from shared.raffles.services.draws.records import draw_document, record_state
from shared.raffles.services.draws.records.draw_document import format_time
from shared.raffles.services.draws.records.record_state import RecordState
from shared.raffles.services.draws.records.record_zip import RecordZip


def build_winners_file(raffle: Raffle) -> IO[bytes]:
    """Return the operator's part of a record, as a temporary file to read from its beginning.

    A ZIP with winners.json (name, phone number, order, when confirmed and claimed), history.json
    (who did what) and the photos of values and stubs.

    Raises:
        RaffleNotFound: there is no such raffle.
        RaffleNotSealed: it is not sealed.

    """
    state = record_state.load_record_state(raffle.pk)
    history = _list_history(raffle.pk)
    with RecordZip() as archive:
        archive.add("winners.json", [draw_document.write_json({"winners": _list_winners(state)})])
        archive.add("history.json", [draw_document.write_json({"history": history})])
        for number, reading in enumerate(state.readings, start=1):
            if state.photo_hashes.get(reading.pk):
                suffix = PurePosixPath(reading.photo.name or "").suffix
                archive.add(f"photos/reading-{number}{suffix}", _read_photo(reading))
        return archive.hand_over()


def build_winners_name(raffle: Raffle) -> str:
    """Return the file name of the operator's part: raffle-12-winners.zip."""
    return f"{receipt_lines.build_raffle_reference(raffle.pk)}-winners.zip"


def _list_winners(state: RecordState) -> list[dict[str, Any]]:
    positions = {prize.pk: prize for prize in state.prizes}
    rows = []
    for result in state.results:
        claim, prize = state.claims.get(result.pk), positions[result.prize_id]
        if claim is None:
            continue
        rows.append(
            {
                "prize": prize.position,
                "title": prize.title,
                "attempt": result.attempt,
                "number": state.raffle.format_ticket_number(result.number),
                "name": claim.winner_name,
                "phone": claim.winner_phone,
                "erased_at": format_time(claim.erased_at),
                "order": str(claim.order),
                "receipt_entry": claim.order.receipt_entry,
                "may_publish_first_name": claim.name_consent,
                "confirmed_at": format_time(claim.confirmed_at),
                "confirmed_by": claim.confirmed_by,
                "told_at": format_time(claim.told_at),
                "claimed_at": format_time(claim.claimed_at),
                "claimed_by": claim.claimed_by,
                "note": claim.note,
            }
        )
    return rows


def _list_history(raffle_id: int) -> list[dict[str, Any]]:
    events = RaffleEvent.objects.filter(raffle_id=raffle_id).order_by("id")
    return [
        {
            "at": format_time(event.at),
            "action": event.action.lower(),
            "by": event.actor_label or event.actor_kind.lower(),
            "reason": event.reason,
        }
        for event in events
    ]


def _read_photo(reading: SourceReading) -> Iterator[bytes]:
    with reading.photo.open("rb") as photo:
        yield from photo.chunks()
