"""The line between a phone and the stand-in: what buyers write and what they can read."""

from dataclasses import dataclass
from typing import Any, Final

import httpx

from deploy.sandbox.bubbles import Entry

POLL: Final = 20
"""Seconds a request for news stays open at most."""

ACCEPTED: Final = 3
"""Seconds the gateway's 200 is waited for, so that the first ticks are true."""


class NotSent(Exception):
    """The stand-in did not take a message; says why."""


@dataclass(frozen=True)
class News:
    """New entries of a chat, oldest first, and where to go on reading."""

    entries: list[Entry]
    next: int


class Line:
    """Talks to the control interface of a stand-in, for any number of buyers."""

    def __init__(self, address: str) -> None:
        self._http = httpx.Client(base_url=address, timeout=POLL + 20, trust_env=False)

    def close(self) -> None:
        """Hang up; whoever waits for news gets an `httpx.HTTPError`."""
        self._http.close()

    def introduce(self, wa_id: str, *, name: str) -> int:
        """Give a buyer a name; tells how far their chat has come."""
        self._http.put(f"/sandbox/buyers/{wa_id}", json={"name": name}).raise_for_status()
        return self.news(wa_id, after=0, wait=0, read=False).next

    def write(self, wa_id: str, **message: Any) -> Entry:
        """Send a message, and give it back as the phone shows it.

        Raises:
            NotSent: the stand-in refused it, or is not there.

        """
        path = f"/sandbox/buyers/{wa_id}/messages"
        try:
            answer = self._http.post(path, json={**message, "wait": ACCEPTED})
        except httpx.TransportError as error:
            raise NotSent("The stand-in for Meta does not answer any more.") from error
        if answer.is_client_error:
            raise NotSent(answer.json()["error"])
        place = int(answer.raise_for_status().json()["n"])
        return self.news(wa_id, after=place - 1, wait=0, read=False).entries[0]

    def news(self, wa_id: str, *, after: int, wait: int, read: bool) -> News:
        """Give what came in after entry number `after`.

        Args:
            wa_id: whose chat.
            after: number of the last entry that is known.
            wait: seconds to wait for a message of the business.
            read: whether the buyer looks, which the business is told.

        """
        answer = self._http.get(
            f"/sandbox/buyers/{wa_id}/messages",
            params={"after": after, "wait": wait, "read": int(read)},
        )
        found = answer.raise_for_status().json()
        return News(entries=found["messages"], next=found["next"])
