"""A numbered list that forgets its oldest entries, so that memory stays bounded."""

from collections import deque
from itertools import islice


class BoundedLog[Item]:
    """Keeps the newest `size` items under rising numbers that begin at 1."""

    def __init__(self, size: int) -> None:
        self._items: deque[Item] = deque(maxlen=size)
        self.last = 0

    def add(self, item: Item) -> int:
        """Append and return the number it got."""
        self._items.append(item)
        self.last += 1
        return self.last

    def after(self, number: int, *, limit: int | None = None) -> list[tuple[int, Item]]:
        """List what has a higher number, oldest first, at most `limit`."""
        first = self.last - len(self._items) + 1
        start = max(0, number + 1 - first)
        stop = None if limit is None else start + limit
        return [
            (first + place, item)
            for place, item in enumerate(islice(self._items, start, stop), start=start)
        ]

    def newest_first(self) -> list[Item]:
        """List everything kept, newest first."""
        return list(reversed(self._items))

    def __len__(self) -> int:
        """Count what is kept."""
        return len(self._items)
