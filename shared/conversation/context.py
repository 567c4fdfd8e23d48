"""The context of a conversation, which the contact's row stores between two messages."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from shared.core.enums import Mode


@dataclass(frozen=True, slots=True)
class Context:
    """The purchase under way, as the contact's row stores it.

    Attributes:
        raffle_id: the chosen raffle.
        mode: the way the numbers are chosen.
        qty: the quantity of random numbers that was asked for.
        draft_order_id: the order the conversation is about.
        picked_numbers: the ticket numbers that were asked for.
        yes_button_id: the id of the button that a plain "yes" stands for, while a yes-or-no
            question is open; stored under the key `asked`.
        misses: the count of messages in a row that were not understood.
        question_message_id: the id of the outbound message that asked the open question; stored
            under the key `question`.
        proof_id: the picture about which the buyer is asked for which order it is, while that
            question is open.
        proof_order_ids: the orders in that question, as they are shown.

    """

    raffle_id: int | None = None
    mode: Mode | None = None
    qty: int | None = None
    draft_order_id: int | None = None
    picked_numbers: tuple[int, ...] = ()
    yes_button_id: str = ""
    misses: int = 0
    question_message_id: int | None = None
    proof_id: int | None = None
    proof_order_ids: tuple[int, ...] = ()

    def with_changes(self, **changes: Any) -> Self:
        """Return a copy with some values changed."""
        return replace(self, **changes)

    def without_open_question(self) -> Self:
        """Return a copy for a buyer who was understood: no misses and no open question."""
        return replace(self, misses=0, yes_button_id="", proof_id=None, proof_order_ids=())

    def to_json(self) -> dict[str, Any]:
        """Return the values to store; empty ones are left out."""
        values = {
            "raffle_id": self.raffle_id,
            "mode": self.mode.value if self.mode else None,
            "qty": self.qty,
            "draft_order_id": self.draft_order_id,
            "picked_numbers": list(self.picked_numbers),
            "asked": self.yes_button_id,
            "misses": self.misses,
            "question": self.question_message_id,
            "proof_id": self.proof_id,
            "proof_orders": list(self.proof_order_ids),
        }
        return {name: value for name, value in values.items() if value}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return the context from its stored values; unknown or malformed ones count as absent."""
        mode = stored.get("mode")
        return cls(
            raffle_id=_int_or_none(stored.get("raffle_id")),
            mode=Mode(mode) if mode in set(Mode) else None,
            qty=_int_or_none(stored.get("qty")),
            draft_order_id=_int_or_none(stored.get("draft_order_id")),
            picked_numbers=_read_ints(stored.get("picked_numbers")),
            yes_button_id=str(stored.get("asked") or ""),
            misses=_int_or_none(stored.get("misses")) or 0,
            question_message_id=_int_or_none(stored.get("question")),
            proof_id=_int_or_none(stored.get("proof_id")),
            proof_order_ids=_read_ints(stored.get("proof_orders")),
        )


def _read_ints(value: Any) -> tuple[int, ...]:
    return tuple(n for n in map(_int_or_none, value or ()) if n is not None)


def _int_or_none(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
