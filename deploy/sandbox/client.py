"""The stand-in's control interface in Python, for tests and for the phone in the terminal."""

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
    """What was waited for did not come in time; the message lists what came instead."""


class SandboxRefused(Exception):
    """The stand-in was asked for something that makes no sense; the message says what."""


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
    """A message as it stands on the buyer's phone."""

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
        """Read an entry as the control interface writes it."""
        plain = {key: value for key, value in entry.items() if key in cls.__annotations__}
        plain["sender"] = entry["from"]
        plain["buttons"] = tuple(TappableChoice(**each) for each in entry["buttons"])
        plain["rows"] = tuple(TappableChoice(**each) for each in entry["rows"])
        return cls(**plain)

    @property
    def choices(self) -> tuple[TappableChoice, ...]:
        """Give everything that can be tapped."""
        return (*self.buttons, *self.rows)

    @property
    def titles(self) -> list[str]:
        """Give the titles of everything that can be tapped."""
        return [choice.title for choice in self.choices]

    @property
    def ids(self) -> list[str]:
        """Give the ids of everything that can be tapped."""
        return [choice.id for choice in self.choices]


class SandboxClient:
    """A running stand-in; every method is one request to `/sandbox/...`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=self.url, timeout=90, trust_env=False)

    def __enter__(self) -> Self:
        """Use it in a `with`."""
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
        """Send one request to the control interface and give its JSON.

        Raises:
            SandboxRefused: when it says no, with its sentence.

        """
        response = self._http.request(method, path, **more)
        answer = response.json()
        if response.is_error:
            raise SandboxRefused(answer.get("error", response.text))
        return answer

    def buyer(self, wa_id: str, **about: Any) -> "BuyerClient":
        """Give a buyer; `about` is what `PUT /sandbox/buyers/{wa_id}` takes, such as `name`."""
        if about:
            self.request_json("PUT", f"/sandbox/buyers/{wa_id}", json=about)
        return BuyerClient(self, wa_id)

    def outgoing(
        self, *, to: str | None = None, after: int = 0, wait: float = 0
    ) -> list[dict[str, Any]]:
        """List what the gateway sent and Meta accepted, in order."""
        query = {"after": after, "wait": wait} | ({"to": to} if to else {})
        answer = self.request_json("GET", "/sandbox/outgoing", params=query)
        found: list[dict[str, Any]] = answer["messages"]
        while answer["next"] > query["after"]:
            query |= {"after": answer["next"], "wait": 0}
            answer = self.request_json("GET", "/sandbox/outgoing", params=query)
            found += answer["messages"]
        return found

    def requests(self, *, after: int = 0) -> list[dict[str, Any]]:
        """List the requests to the Graph API with their answers, five thousand at most."""
        query = {"after": after}
        found: list[dict[str, Any]] = self.request_json("GET", "/sandbox/requests", params=query)[
            "requests"
        ]
        return found

    def list_refused_requests(self) -> list[dict[str, Any]]:
        """List the requests that Meta would have refused, or was told to."""
        return [each for each in self.requests() if each["code"] is not None]

    def deliveries(self, *, after: int = 0) -> list[dict[str, Any]]:
        """List the newest webhooks and how the gateway answered, a thousand at most."""
        query = {"after": after}
        answer = self.request_json("GET", "/sandbox/deliveries", params=query)
        found: list[dict[str, Any]] = answer["deliveries"]
        return found

    def state(self) -> dict[str, Any]:
        """Tell what the stand-in plays, how it behaves and how much it holds."""
        found: dict[str, Any] = self.request_json("GET", "/sandbox/state")
        return found

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Change how it behaves and tell how it behaves now."""
        found: dict[str, Any] = self.request_json("PATCH", "/sandbox/settings", json=changes)
        return found

    def plan_fault(self, kind: str, **more: Any) -> None:
        """Plan trouble; `more` is what `POST /sandbox/faults` takes, such as `times`."""
        self.request_json("POST", "/sandbox/faults", json={"kind": kind, **more})

    def faults(self) -> list[dict[str, Any]]:
        """List the trouble still to come."""
        found: list[dict[str, Any]] = self.request_json("GET", "/sandbox/faults")["faults"]
        return found

    def clear_faults(self) -> None:
        """Plan no more trouble."""
        self.request_json("DELETE", "/sandbox/faults")

    def wait_until_idle(self, *, timeout: float = 20) -> None:
        """Wait until the gateway accepted every webhook.

        Raises:
            NothingSeen: when some still wait after so many seconds.

        """
        if not self.request_json("GET", "/sandbox/idle", params={"wait": timeout})["idle"]:
            pending = self.state()["pending"]
            raise NothingSeen(f"{pending} webhooks were not accepted within {timeout} s")

    def reset(self) -> None:
        """Forget everything that happened and behave as at the start."""
        self.request_json("POST", "/sandbox/reset")

    def post_webhook(self, body: Any = None, **more: Any) -> list[int]:
        """Post a webhook as told and give the HTTP statuses; `more` as `POST /sandbox/webhooks`."""
        asked = {**more} if body is None else {"body": body, **more}
        statuses: list[int] = self.request_json("POST", "/sandbox/webhooks", json=asked)["statuses"]
        return statuses

    def send_batch(
        self, messages: Sequence[Mapping[str, Any]], **more: Any
    ) -> list[dict[str, Any]]:
        """Let several buyers send in one webhook; each message names its `wa_id`."""
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
        """Give the bytes of a `picture` or `file` that a message shows."""
        return self._http.get(picture["url"]).raise_for_status().content


class BuyerClient:
    """One person with a phone."""

    def __init__(self, sandbox: SandboxClient, wa_id: str) -> None:
        self.sandbox = sandbox
        self.wa_id = wa_id
        self.last = 0
        """Number of this buyer's newest message, or of the last that was waited for."""

    def says(self, text: str, **more: Any) -> int:
        """Send a text and give its number; `more` as `POST /sandbox/buyers/{wa_id}/messages`."""
        return self.sends("text", text=text, **more)

    def taps(
        self, choice: str | int, *, of: "SeenMessage | str | int | None" = None, **more: Any
    ) -> int:
        """Tap a button or row by title or id (an int: by its place, from 1)."""
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
        """Send a message of any type and give its number."""
        return self._remember_last(
            self.sandbox.request_json("POST", self._messages_path, json={"type": kind, **more})
        )

    def sees(self, *, after: int = 0, wait: float = 0, read: bool = True) -> list[SeenMessage]:
        """Give the chat as it stands on the phone, both directions, oldest first."""
        query = {"after": after, "wait": wait, "read": int(read), "limit": 1000}
        answer = self.sandbox.request_json("GET", self._messages_path, params=query)
        return [SeenMessage.from_json(entry) for entry in answer["messages"]]

    def replies(
        self, *, after: int | None = None, wait: float = 0, read: bool = True
    ) -> list[SeenMessage]:
        """Give what the business sent after an entry (this buyer's newest message)."""
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
            wanted: a piece of its text, header or titles; a predicate; or how many messages.
            timeout: seconds.
            after: number of the entry to begin after, instead of the newest message.

        Raises:
            NothingSeen: when it did not come in time; lists what came instead.

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
