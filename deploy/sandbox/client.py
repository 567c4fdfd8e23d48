"""Python client for the stand-in's control interface, for tests and the terminal phone."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, overload

import httpx

MAX_POLL_SECONDS: Final = 20.0
MessageMatcher = str | Callable[["SeenMessage"], bool]


class NothingSeen(AssertionError):
    """An expected message did not come in time; the text lists what came instead."""


class SandboxRefused(Exception):
    """The stand-in refused a request; the message says why."""


@dataclass(frozen=True)
class TappableChoice:
    """A button or a row that can be tapped."""

    index: int
    id: str
    title: str
    description: str = ""
    section: str = ""


@dataclass(frozen=True, kw_only=True)
class SeenMessage:
    """A message as the buyer's phone shows it."""

    n: int
    id: str
    sender: str
    phone_number_id: str
    type: str
    text: str
    header: str
    footer: str
    label: str
    picture: Mapping[str, str] | None
    file: Mapping[str, str] | None
    link: Mapping[str, str] | None
    buttons: tuple[TappableChoice, ...]
    rows: tuple[TappableChoice, ...]
    reply_to: str | None
    status: str
    at: str
    raw: Mapping[str, Any]

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """Parse an entry of the control interface."""
        plain = {key: value for key, value in entry.items() if key in cls.__annotations__}
        plain["sender"] = entry["from"]
        plain["buttons"] = tuple(TappableChoice(**each) for each in entry["buttons"])
        plain["rows"] = tuple(TappableChoice(**each) for each in entry["rows"])
        return cls(**plain)

    @property
    def choices(self) -> tuple[TappableChoice, ...]:
        """Return the buttons and rows."""
        return (*self.buttons, *self.rows)

    @property
    def titles(self) -> list[str]:
        """Return the titles of the buttons and rows."""
        return [choice.title for choice in self.choices]

    @property
    def ids(self) -> list[str]:
        """Return the ids of the buttons and rows."""
        return [choice.id for choice in self.choices]


class SandboxClient:
    """Client of a running stand-in; every method sends requests to `/sandbox/...`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=self.url, timeout=90, trust_env=False)

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def request_json(self, method: str, path: str, **more: Any) -> Any:
        """Send one request to the control interface and return its JSON.

        Raises:
            SandboxRefused: the request was refused; the message is that of the answer.
            httpx.HTTPError: the stand-in did not answer.

        """
        response = self._http.request(method, path, **more)
        answer = response.json()
        if response.is_error:
            raise SandboxRefused(answer.get("error", response.text))
        return answer

    def buyer(self, wa_id: str, **changes: Any) -> "BuyerClient":
        """Return a buyer; `changes` are those of `PUT /sandbox/buyers/{wa_id}`, such as `name`."""
        if changes:
            self.request_json("PUT", f"/sandbox/buyers/{wa_id}", json=changes)
        return BuyerClient(self, wa_id)

    def outgoing(
        self, *, to: str | None = None, after: int = 0, wait: float = 0
    ) -> list[dict[str, Any]]:
        """Return the messages that the gateway sent and Meta accepted, in order.

        Args:
            to: only messages to the buyer with this phone number.
            after: only messages with higher numbers.
            wait: seconds to wait for the first one.

        """
        query = {"after": after, "wait": wait} | ({"to": to} if to else {})
        answer = self.request_json("GET", "/sandbox/outgoing", params=query)
        found: list[dict[str, Any]] = answer["messages"]
        while answer["next"] > query["after"]:
            query |= {"after": answer["next"], "wait": 0}
            answer = self.request_json("GET", "/sandbox/outgoing", params=query)
            found += answer["messages"]
        return found

    def requests(self, *, after: int = 0) -> list[dict[str, Any]]:
        """Return up to 5,000 requests to the Graph API with their answers."""
        query = {"after": after}
        found: list[dict[str, Any]] = self.request_json("GET", "/sandbox/requests", params=query)[
            "requests"
        ]
        return found

    def list_refused_requests(self) -> list[dict[str, Any]]:
        """Return the requests that were refused, by Meta's rules or by a planned fault."""
        return [each for each in self.requests() if each["code"] is not None]

    def deliveries(self, *, after: int = 0) -> list[dict[str, Any]]:
        """Return up to 1,000 webhooks with the answers of the gateway."""
        query = {"after": after}
        answer = self.request_json("GET", "/sandbox/deliveries", params=query)
        found: list[dict[str, Any]] = answer["deliveries"]
        return found

    def state(self) -> dict[str, Any]:
        """Return the options, the settings and the counts of the stand-in."""
        found: dict[str, Any] = self.request_json("GET", "/sandbox/state")
        return found

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Change settings and return all of them."""
        found: dict[str, Any] = self.request_json("PATCH", "/sandbox/settings", json=changes)
        return found

    def plan_fault(self, kind: str, **more: Any) -> None:
        """Plan a fault; `more` are further keys of `POST /sandbox/faults`, such as `times`."""
        self.request_json("POST", "/sandbox/faults", json={"kind": kind, **more})

    def faults(self) -> list[dict[str, Any]]:
        """Return the planned faults."""
        found: list[dict[str, Any]] = self.request_json("GET", "/sandbox/faults")["faults"]
        return found

    def clear_faults(self) -> None:
        """Remove all planned faults."""
        self.request_json("DELETE", "/sandbox/faults")

    def wait_until_idle(self, *, timeout: float = 20) -> None:
        """Wait until the gateway has accepted every webhook.

        Raises:
            NothingSeen: some are not accepted after `timeout` seconds.

        """
        if not self.request_json("GET", "/sandbox/idle", params={"wait": timeout})["idle"]:
            pending = self.state()["pending"]
            raise NothingSeen(f"{pending} webhooks were not accepted within {timeout} s")

    def reset(self) -> None:
        """Delete everything that happened and restore the initial settings."""
        self.request_json("POST", "/sandbox/reset")

    def post_webhook(self, body: Any = None, **more: Any) -> list[int]:
        """Post a webhook and return the HTTP statuses; `more` as for `POST /sandbox/webhooks`."""
        asked = {**more} if body is None else {"body": body, **more}
        statuses: list[int] = self.request_json("POST", "/sandbox/webhooks", json=asked)["statuses"]
        return statuses

    def send_batch(
        self, messages: Sequence[Mapping[str, Any]], **more: Any
    ) -> list[dict[str, Any]]:
        """Send messages of several buyers in one webhook; each message has its `wa_id`."""
        asked = {"messages": list(messages), **more}
        found: list[dict[str, Any]] = self.request_json("POST", "/sandbox/batch", json=asked)[
            "messages"
        ]
        return found

    def verify(self, verify_token: str, **more: Any) -> dict[str, Any]:
        """Ask the gateway to verify its webhook, as Meta does."""
        asked = {"verify_token": verify_token, **more}
        found: dict[str, Any] = self.request_json("POST", "/sandbox/verify", json=asked)
        return found

    def download_file(self, picture: Mapping[str, str]) -> bytes:
        """Return the bytes of the `picture` or `file` of a message."""
        return self._http.get(picture["url"]).raise_for_status().content


class BuyerClient:
    """One buyer with a phone."""

    def __init__(self, sandbox: SandboxClient, wa_id: str) -> None:
        self.sandbox = sandbox
        self.wa_id = wa_id
        self.last = 0
        """Number of the newest message that this client sent."""

    def says(self, text: str, **more: Any) -> int:
        """Send a text and return its number; `more` as `POST /sandbox/buyers/{wa_id}/messages`."""
        return self.sends("text", text=text, **more)

    def taps(
        self, choice: str | int, *, of: "SeenMessage | str | int | None" = None, **more: Any
    ) -> int:
        """Tap a button or row by its title or id, or by its index from 1 if `choice` is an int."""
        where = of.id if isinstance(of, SeenMessage) else of
        if where is not None:
            more["of"] = where
        if isinstance(choice, int):
            return self.sends("tap", index=choice, **more)
        try:
            return self.sends("tap", title=choice, **more)
        except SandboxRefused:
            return self.sends("tap", id=choice, **more)

    def sends_picture(self, picture: Path | bytes, *, caption: str = "", **more: Any) -> int:
        """Send a picture from a path or bytes."""
        return self.sends_file("image", picture, caption=caption, **more)

    def sends_document(self, document: Path | bytes, **more: Any) -> int:
        """Send a document from a path or bytes."""
        if isinstance(document, Path):
            more.setdefault("filename", document.name)
        return self.sends_file("document", document, **more)

    def sends_file(self, kind: str, file: Path | bytes, **more: Any) -> int:
        """Send an image, document, audio, video or sticker."""
        content = file.read_bytes() if isinstance(file, Path) else file
        fields = {key: str(value) for key, value in {"type": kind, **more}.items()}
        return self._remember_last(
            self.sandbox.request_json(
                "POST", self._messages_path, data=fields, files={"file": content}
            )
        )

    def sends(self, kind: str, **more: Any) -> int:
        """Send a message of any type and return its number."""
        return self._remember_last(
            self.sandbox.request_json("POST", self._messages_path, json={"type": kind, **more})
        )

    def sees(self, *, after: int = 0, wait: float = 0, read: bool = True) -> list[SeenMessage]:
        """Return the entries of the chat in both directions, oldest first.

        Args:
            after: only entries with higher numbers.
            wait: seconds to wait for a message of the business.
            read: whether the business is told that the buyer has read them.

        """
        query = {"after": after, "wait": wait, "read": int(read), "limit": 1000}
        answer = self.sandbox.request_json("GET", self._messages_path, params=query)
        return [SeenMessage.from_json(entry) for entry in answer["messages"]]

    def replies(
        self, *, after: int | None = None, wait: float = 0, read: bool = True
    ) -> list[SeenMessage]:
        """Return what the business sent after an entry; by default, after `last`."""
        start = self.last if after is None else after
        seen = self.sees(after=start, wait=wait, read=read)
        return [each for each in seen if each.sender == "business"]

    @overload
    def waits_for(
        self, wanted: int, *, timeout: float = ..., after: int | None = ..., read: bool = ...
    ) -> list[SeenMessage]: ...

    @overload
    def waits_for(
        self,
        wanted: MessageMatcher,
        *,
        timeout: float = ...,
        after: int | None = ...,
        read: bool = ...,
    ) -> SeenMessage: ...

    def waits_for(
        self,
        wanted: MessageMatcher | int,
        *,
        timeout: float = 10,
        after: int | None = None,
        read: bool = True,
    ) -> SeenMessage | list[SeenMessage]:
        """Wait for a message from the business since this buyer's newest message.

        Args:
            wanted: a part of its text, header or titles; a predicate; or a number of messages.
            timeout: seconds.
            after: number of the entry after which to begin, instead of `last`.
            read: whether the business is told that the buyer has read them.

        Raises:
            NothingSeen: it did not come in time.

        """
        ends = time.monotonic() + timeout
        start = self.last if after is None else after
        seen: list[SeenMessage] = []
        while True:
            left = min(MAX_POLL_SECONDS, max(0.0, ends - time.monotonic()))
            newest = seen[-1].n if seen else start
            seen += self.replies(after=newest, wait=left, read=read)
            found = _find_match(wanted, seen)
            if found is not None:
                return found
            if time.monotonic() >= ends:
                raise NothingSeen(_describe_missing(wanted, seen, timeout))

    def _remember_last(self, answer: Mapping[str, Any]) -> int:
        self.last = int(answer["n"])
        return self.last

    @property
    def _messages_path(self) -> str:
        return f"/sandbox/buyers/{self.wa_id}/messages"


def _find_match(
    wanted: MessageMatcher | int, seen: list[SeenMessage]
) -> SeenMessage | list[SeenMessage] | None:
    if isinstance(wanted, int):
        return seen if len(seen) >= wanted else None
    for each in seen:
        if wanted(each) if callable(wanted) else _has_text(each, wanted):
            return each
    return None


def _has_text(seen: SeenMessage, piece: str) -> bool:
    folded = piece.casefold()
    return any(folded in part.casefold() for part in (seen.text, seen.header, *seen.titles))


def _describe_missing(wanted: MessageMatcher | int, seen: list[SeenMessage], timeout: float) -> str:
    lines = [f"  {each.n}: {each.type} {each.text!r} {each.titles}" for each in seen]
    return f"{wanted!r} did not come within {timeout} s; came:\n" + "\n".join(
        lines or ["  nothing"]
    )
