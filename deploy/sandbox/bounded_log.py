"""A numbered list that drops its oldest items, so that memory stays bounded."""

from collections import deque
from itertools import islice


class BoundedLog[Item]:
    """The newest `size` items, numbered upwards from 1."""

    def __init__(self, size: int) -> None:
        self._items: deque[Item] = deque(maxlen=size)
        self.last = 0

    def add(self, item: Item) -> int:
        """Append an item and return its number."""
        self._items.append(item)
        self.last += 1
        return self.last

    def list_after(self, number: int, *, limit: int | None = None) -> list[tuple[int, Item]]:
        """Return up to `limit` items with higher numbers, oldest first."""
        first = self.last - len(self._items) + 1
        start = max(0, number + 1 - first)
        stop = None if limit is None else start + limit
        return [
            (first + place, item)
            for place, item in enumerate(islice(self._items, start, stop), start=start)
        ]

    def list_newest_first(self) -> list[Item]:
        """Return all stored items, newest first."""
        return list(reversed(self._items))

    def __len__(self) -> int:
        """Return the number of stored items."""
        return len(self._items)
