"""Sold, held and free numbers as one bar, drawn by `raffles/parts/progress_bar.html`."""

from dataclasses import dataclass
from typing import Final

from shared.raffles.services.availability import TicketCounts

_BAR_WIDTH: Final = 1000
"""The width of the bar's own coordinates; a part that exists is never thinner than a few."""

_MIN_PART_WIDTH: Final = 6


@dataclass(frozen=True, slots=True)
class ProgressBar:
    """Counts, and where the parts of the bar end, in thousandths of its width."""

    counts: TicketCounts
    sold: int
    held: int

    @property
    def taken(self) -> int:
        """Where the held part ends, which begins where the sold one ends."""
        return self.sold + self.held

    @property
    def figures(self) -> list[tuple[str, str]]:
        """Each part's name and count: ("sold", "1,234")."""
        counts = self.counts
        named = (("sold", counts.sold), ("held", counts.reserved), ("free", counts.available))
        return [(name, f"{count:,}") for name, count in named]

    @property
    def words(self) -> str:
        """The bar for who does not see it."""
        return ", ".join(f"{count} {name}" for name, count in self.figures)

    @property
    def percent(self) -> str:
        """How much is sold: "12%"; "<1%" for a little."""
        if not self.counts.sold:
            return "0%"
        whole = self.counts.sold * 100 // max(1, self.counts.total)
        return f"{whole}%" if whole else "<1%"


def build_progress_bar(counts: TicketCounts) -> ProgressBar:
    """Turn counts into a bar."""
    total = max(1, counts.total)
    return ProgressBar(
        counts=counts,
        sold=_compute_part_width(counts.sold, total=total),
        held=_compute_part_width(counts.reserved, total=total),
    )


def _compute_part_width(part: int, *, total: int) -> int:
    return max(_MIN_PART_WIDTH, part * _BAR_WIDTH // total) if part else 0
