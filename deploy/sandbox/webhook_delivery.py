"""Delivery of webhooks to the gateway until it answers 200, as Meta does.

Meta retries at once and then less and less often for seven days, without documenting the times
(developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview); here
the pauses are seconds. The queue is bounded: when it is full, no more webhooks are accepted.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Final
from weakref import WeakValueDictionary

import httpx
from httpx_aiohttp import AiohttpTransport

from deploy.sandbox import webhook_payloads
from deploy.sandbox.bounded_log import BoundedLog
from deploy.sandbox.options import SandboxBehaviour
from deploy.sandbox.wakeup import ChangeSignal

MAX_LOGGED_DELIVERIES: Final = 5_000
MAX_SHOWN_STATUSES: Final = 50
MAX_CONCURRENT_POSTS: Final = 64
HTTP_OK: Final = 200
USER_AGENT: Final = "facebookexternalua"


class TooManyWebhooks(Exception):
    """The queue of webhooks is full."""


@dataclass(kw_only=True)
class WebhookDelivery:
    """One webhook and its attempts; `statuses` are HTTP statuses, 0 without an answer."""

    description: str
    body: bytes
    signature: str | None
    n: int = 0
    attempts: int = 0
    statuses: list[int] = field(default_factory=list)
    response_body: str = ""
    delivered: bool = False
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    on_accepted: Callable[[], None] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the delivery as JSON for `GET /sandbox/deliveries`."""
        return {
            "n": self.n,
            "about": self.description,
            "attempts": self.attempts,
            "statuses": self.statuses,
            "delivered": self.delivered,
            "body": self.body.decode("utf-8", "replace"),
        }


class WebhookPoster:
    """Posts webhooks in the background, each until it is accepted or given up."""

    def __init__(
        self, behaviour: Callable[[], SandboxBehaviour], *, secret: str, changes: ChangeSignal
    ) -> None:
        self._behaviour = behaviour
        self._secret = secret
        self._changes = changes
        self._http = httpx.AsyncClient(transport=AiohttpTransport(), trust_env=False)
        self._at_once = asyncio.Semaphore(MAX_CONCURRENT_POSTS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._lanes: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.log: BoundedLog[WebhookDelivery] = BoundedLog(MAX_LOGGED_DELIVERIES)
        self.dropped = 0

    @property
    def pending(self) -> int:
        """Return the number of webhooks that are not accepted yet."""
        return len(self._tasks)

    def post_until_accepted(
        self,
        body: bytes,
        *,
        description: str,
        lane: str = "",
        delay: float = 0,
        on_accepted: Callable[[], None] | None = None,
    ) -> WebhookDelivery:
        """Sign a body and post it in the background until it is accepted.

        Args:
            body: the bytes to post.
            description: a description for people.
            lane: first attempts in the same lane are made one after the other.
            delay: seconds to wait first.
            on_accepted: called at the first acceptance.

        Raises:
            TooManyWebhooks: `max_pending` webhooks are waiting.

        """
        delivery = self.sign_webhook(body, description=description)
        delivery.on_accepted = on_accepted
        for copy in range(1 + self._behaviour().duplicates):
            one = (
                delivery
                if copy == 0
                else self.sign_webhook(body, description=f"{description}, again")
            )
            self._start_task(self._deliver(one, lane=lane, delay=delay))
        return delivery

    def sign_webhook(
        self, body: bytes, *, description: str, signature: str | None = "good"
    ) -> WebhookDelivery:
        """Sign and log a webhook; `signature` is `good`, `bad`, `missing` or the header itself."""
        good = webhook_payloads.compute_hub_signature(body, secret=self._secret)
        bad = webhook_payloads.compute_hub_signature(body, secret=self._secret + "-not")
        header = {"good": good, "bad": bad, "missing": None}.get(str(signature), signature)
        delivery = WebhookDelivery(description=description, body=body, signature=header)
        delivery.n = self.log.add(delivery)
        return delivery

    def retry(self, delivery: WebhookDelivery) -> None:
        """Post a webhook from `sign_webhook` in the background until it is accepted."""
        self._start_task(self._deliver(delivery, lane="", delay=0))

    async def post_once(self, delivery: WebhookDelivery) -> bool:
        """Post once and return whether the gateway accepted."""
        behaviour = self._behaviour()
        headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
        if delivery.signature is not None:
            headers["X-Hub-Signature-256"] = delivery.signature
        async with self._at_once:
            delivery.attempts += 1
            try:
                response = await self._http.post(
                    behaviour.webhook_url,
                    content=delivery.body,
                    headers=headers,
                    timeout=behaviour.webhook_timeout,
                )
                status, delivery.response_body = response.status_code, response.text[:2_000]
            except httpx.HTTPError:
                status, delivery.response_body = 0, ""
        delivery.statuses = [*delivery.statuses, status][-MAX_SHOWN_STATUSES:]
        accepted = status == HTTP_OK
        if accepted and not delivery.delivered:
            delivery.delivered = True
            if delivery.on_accepted is not None:
                delivery.on_accepted()
        return accepted

    async def request_verification(
        self, *, mode: str, token: str, challenge: str
    ) -> tuple[int, str]:
        """Send Meta's verification request, as when a callback address is set.

        Returns:
            The HTTP status (0 without an answer) and the body.

        """
        behaviour = self._behaviour()
        query = {"hub.mode": mode, "hub.challenge": challenge, "hub.verify_token": token}
        try:
            response = await self._http.get(
                behaviour.webhook_url,
                params=query,
                headers={"User-Agent": USER_AGENT},
                timeout=behaviour.webhook_timeout,
            )
        except httpx.HTTPError:
            return 0, ""
        return response.status_code, response.text

    def cancel_all(self) -> None:
        """Cancel all deliveries and clear the log."""
        for task in list(self._tasks):
            task.cancel()
        self._tasks.clear()  # one that is in a request ends a moment later
        self.log = BoundedLog(MAX_LOGGED_DELIVERIES)
        self.dropped = 0

    async def aclose(self) -> None:
        """Cancel all deliveries and close the connections."""
        tasks = list(self._tasks)
        self.cancel_all()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.aclose()

    def _start_task(self, delivering: Any) -> None:
        if len(self._tasks) >= self._behaviour().max_pending:
            delivering.close()
            self.dropped += 1
            raise TooManyWebhooks
        task = asyncio.get_running_loop().create_task(delivering)
        self._tasks.add(task)
        task.add_done_callback(self._finish_task)

    def _finish_task(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._changes.notify()

    async def _deliver(self, delivery: WebhookDelivery, *, lane: str, delay: float) -> None:
        started = time.monotonic()
        try:
            if delay:
                await asyncio.sleep(delay)
            async with self._get_lane(lane):
                accepted = await self.post_once(delivery)
            while not accepted:
                behaviour = self._behaviour()
                if time.monotonic() - started >= behaviour.give_up_after:
                    return
                pauses = behaviour.retry_delays
                await asyncio.sleep(pauses[min(delivery.attempts, len(pauses)) - 1])
                accepted = await self.post_once(delivery)
        finally:
            delivery.finished.set()

    def _get_lane(self, name: str) -> AbstractAsyncContextManager[Any]:
        if not name or not self._behaviour().in_order:
            return nullcontext()
        lock = self._lanes.get(name)
        if lock is None:
            lock = self._lanes[name] = asyncio.Lock()
        return lock
