"""Explanation of a draw in three sentences, for the results page."""

from shared.core.enums import DrawMethod, UnsoldRule
from shared.raffles.services.draws.records.record_state import RecordState


def explain_draw(state: RecordState) -> tuple[str, str, str]:
    """Return how the winners of a sealed raffle are found, in three sentences."""
    sealed = state.sealed
    listed = (
        f"The {sealed.count:,} sold numbers were sealed as a list before the draw, and it cannot "
        "change any more."
    )
    names = " and ".join(source.name for source in state.sources)
    match DrawMethod(state.raffle.draw_method):
        case DrawMethod.PUBLIC_VALUE:
            return (
                listed,
                f"Then {names} published values that nobody could know before.",
                "RFC 3797 turns values and list into the winners, the same for everybody.",
            )
        case DrawMethod.LOTTERY_DIGITS:
            if state.rules.unsold_rule == UnsoldRule.NEXT_SOLD_UPWARDS:
                otherwise = "if that was not sold or has won already, the next higher one wins."
            else:
                otherwise = "if that was not sold, the next draw of the same lottery decides."
            digits = "digit" if state.raffle.width == 1 else f"{state.raffle.width} digits"
            return (
                listed,
                f"Then the last {digits} of {names} are the winning number.",
                f"The rules said beforehand: {otherwise}",
            )
        case DrawMethod.RECORDED_DRUM:
            return (
                listed,
                "Each sold number was a printed stub in a drum, drawn by hand before a witness.",
                "The recording shows it, and each number that was drawn is on the list.",
            )
