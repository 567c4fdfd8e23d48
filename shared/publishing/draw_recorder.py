"""Recording of the events of a draw: the list is sealed, prizes are drawn, won and claimed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.core.enums import EventType, RaffleAction
from shared.events.services import feed
from shared.publishing import draw_representations
from shared.raffles.draws.draw_models import DrawResult, PrizeClaim, SealedList
from shared.raffles.models import Raffle


def record_draw_event(
    action: RaffleAction,
    *,
    type_: EventType,
    raffle: Raffle,
    described: Mapping[str, Any],
    now: datetime,
) -> None:
    """Record the event of a step of a draw.

    Args:
        action: the step.
        type_: the type of its event.
        raffle: the raffle, locked by the step.
        described: what the events of all raffles tell: the raffle, and by whom.
        now: the time of the step.

    """
    match action:
        case RaffleAction.SEALED:
            data = {**described, "sealed": _describe_sealed_draw(raffle)}
            feed.record_event(type_, data=data, subject=raffle.title, now=now)
        case RaffleAction.DRAWN | RaffleAction.REDRAWN:
            data = {
                **described,
                "sealed": _describe_sealed_draw(raffle),
                "redrawn": action is RaffleAction.REDRAWN,
                "results": _describe_new_results(raffle, now=now),
            }
            feed.record_event(type_, data=data, subject=raffle.title, now=now)
        case RaffleAction.WINNER_CONFIRMED:
            _record_claims(type_, raffle=raffle, described=described, now=now, confirmed_at=now)
        case RaffleAction.PRIZE_CLAIMED:
            _record_claims(type_, raffle=raffle, described=described, now=now, claimed_at=now)


def _describe_sealed_draw(raffle: Raffle) -> dict[str, Any]:
    sealed = SealedList.objects.defer("numbers").get(raffle=raffle)
    represented = draw_representations.represent_sealed_draw(sealed, method=raffle.draw_method)
    return represented.model_dump(mode="json")


def _describe_new_results(raffle: Raffle, *, now: datetime) -> list[dict[str, Any]]:
    """Describe the results of this step: those of its very moment, as a raffle is locked."""
    results = DrawResult.objects.filter(raffle=raffle, at=now).select_related("prize")
    return [
        draw_representations.represent_drawn_prize(result, raffle=raffle).model_dump(mode="json")
        for result in sorted(results, key=lambda result: result.prize.position)
    ]


def _record_claims(
    type_: EventType,
    *,
    raffle: Raffle,
    described: Mapping[str, Any],
    now: datetime,
    **changed: datetime,
) -> None:
    """Record the event of each claim that changed at this moment, unless it was recorded before."""
    claims = PrizeClaim.objects.filter(result__raffle=raffle, **changed).select_related(
        "result__prize", "order__contact"
    )
    for claim in claims:
        result = draw_representations.represent_drawn_prize(claim.result, raffle=raffle)
        winner = draw_representations.represent_winner(claim.order)
        feed.record_event(
            type_,
            data={
                **described,
                "result": result.model_dump(mode="json"),
                "winner": winner.model_dump(mode="json"),
            },
            subject=str(claim.order),
            order_id=claim.order_id,
            dedupe_key=f"{type_}:{claim.pk}",
            now=now,
        )
