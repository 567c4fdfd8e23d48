"""Progress bar of sold, held and free numbers; drawn by `raffles/parts/progress_bar.html`."""

from dataclasses import dataclass
from typing import Final

from shared.raffles.services.availability import TicketCounts

_BAR_WIDTH: Final = 1000
"""Width of the bar in its own coordinates."""

_MIN_PART_WIDTH: Final = 6
"""Smallest width of a part that is not empty, so that it stays visible."""


@dataclass(frozen=True, slots=True)
class ProgressBar:
    """Counts, and the widths of the bar's parts in thousandths of the bar."""

    counts: TicketCounts
    sold: int
    held: int

    @property
    def taken(self) -> int:
        """End of the held part, which starts at the end of the sold part."""
        return self.sold + self.held

    @property
    def figures(self) -> list[tuple[str, str]]:
        """Each part's name and count: ("sold", "1,234")."""
        counts = self.counts
        named = (("sold", counts.sold), ("held", counts.reserved), ("free", counts.available))
        return [(name, f"{count:,}") for name, count in named]

    @property
    def words(self) -> str:
        """Text alternative of the bar."""
        return ", ".join(f"{count} {name}" for name, count in self.figures)

    @property
    def percent(self) -> str:
        """Share of sold numbers: "12%"; "<1%" for less than one percent."""
        if not self.counts.sold:
            return "0%"
        whole = self.counts.sold * 100 // max(1, self.counts.total)
        return f"{whole}%" if whole else "<1%"


def build_progress_bar(counts: TicketCounts) -> ProgressBar:
    """Return the progress bar of these counts."""
    total = max(1, counts.total)
    return ProgressBar(
        counts=counts,
        sold=_compute_part_width(counts.sold, total=total),
        held=_compute_part_width(counts.reserved, total=total),
    )


def _compute_part_width(part: int, *, total: int) -> int:
    return max(_MIN_PART_WIDTH, part * _BAR_WIDTH // total) if part else 0
