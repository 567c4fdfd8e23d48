"""The source of an order: how its buyer came to the chat."""

from dataclasses import dataclass
from typing import Any, Final

from shared.core.enums import OrderSourceKind

MAX_NAME_LENGTH: Final = 60
"""Meta cuts the headline of an ad at 40 characters; a post may have a longer one."""
MAX_ID_LENGTH: Final = 40


@dataclass(frozen=True, slots=True)
class OrderSource:
    """How a buyer came to the chat.

    Attributes:
        kind: a link of the raffle, or an ad or post of Meta.
        name: the word of the link, or the headline of the ad; may be empty.
        id: Meta's id of the ad or post; empty for a link.

    """

    kind: OrderSourceKind
    name: str = ""
    id: str = ""


def build_source_columns(source: OrderSource | None) -> dict[str, Any]:
    """Return the values of an order's columns for its source; empty for none."""
    if source is None:
        return {}
    return {
        "source_kind": source.kind,
        "source_name": source.name[:MAX_NAME_LENGTH],
        "source_id": source.id[:MAX_ID_LENGTH],
    }


def build_source(kind: str | None, name: str | None, source_id: str | None) -> OrderSource | None:
    """Return the source from an order's columns, or None if it is not known."""
    if kind not in set(OrderSourceKind):
        return None
    return OrderSource(OrderSourceKind(kind), name or "", source_id or "")
