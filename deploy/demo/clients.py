"""The seller's side over HTTP: a browser that submits the admin's forms, a program with a token."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final, Self

import httpx

PROOF_TIMEOUT_SECONDS: Final = 15.0
"""Seconds the gateway gets to fetch a proof."""


class DemoMismatch(Exception):
    """The demo did something else than its script says; names both."""


@dataclass
class HtmlForm:
    """A form of a page: where it goes and what it already holds."""

    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)


class HtmlPage(HTMLParser):
    """What a browser needs of a page: its forms and its links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[HtmlForm] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note forms, the fields in them, and links."""
        about = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(HtmlForm(about.get("action", "")))
        elif tag == "input" and self.forms and about.get("name"):
            values = self.forms[-1].fields.setdefault(about["name"], [])
            values.append(about.get("value", ""))
        elif tag == "a":
            self.links.append(about.get("href", ""))


class AdminBrowser:
    """A browser with cookies, as far as logging in and pressing a button need one."""

    def __init__(self, address: str) -> None:
        self._http = httpx.Client(
            base_url=address,
            headers={"Origin": address},
            follow_redirects=True,
            trust_env=False,
            timeout=30,
        )

    def __enter__(self) -> Self:
        """Use it in a `with`."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._http.close()

    def log_in(self, *, username: str, password: str) -> None:
        """Fill in the login form.

        Raises:
            NotAsExpected: it did not lead into the admin.

        """
        page = self._open("/admin/login/?next=/admin/")
        typed = {"username": [username], "password": [password]}
        there = self._submit(page, lambda form: "password" in form.fields, typed)
        if there.url.path != "/admin/":
            raise DemoMismatch(f"the login of {username} led to {there.url.path}, not to /admin/")

    def confirm_payment(self, code: str) -> None:
        """Find an order by its code, open its page and press the button that confirms.

        Raises:
            NotAsExpected: there is no such order or button, or it was not paid by that.

        """
        found = self._open(f"/admin/raffles/order/?q={code}")
        links = (link for link in HtmlPage(found.text).links if "/raffles/order/" in link)
        order = next((link for link in links if "/change/" in link), None)
        if order is None:
            raise DemoMismatch(f"the back office does not list {code}")
        page = self._open(str(found.url.join(order)))
        after = self._submit(page, lambda form: form.action.endswith("/confirm/"), {})
        if f"{code} is paid" not in after.text:
            raise DemoMismatch(f"the back office does not say that {code} is paid")

    def _open(self, address: str) -> httpx.Response:
        return self._http.get(address).raise_for_status()

    def _submit(
        self, page: httpx.Response, wanted: Callable[[HtmlForm], bool], typed: dict[str, list[str]]
    ) -> httpx.Response:
        form = next((form for form in HtmlPage(page.text).forms if wanted(form)), None)
        if form is None:
            raise DemoMismatch(f"{page.url.path} does not have the form that is looked for")
        target = page.url.join(form.action)
        referer = {"Referer": str(page.url)}
        return self._http.post(target, data=form.fields | typed, headers=referer).raise_for_status()


class ApiClient:
    """A program with a token, such as a workflow of n8n."""

    def __init__(self, address: str, *, token: str) -> None:
        self._http = httpx.Client(
            base_url=f"{address}/api",
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=30,
        )

    def __enter__(self) -> Self:
        """Use it in a `with`."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._http.close()

    def wait_for_kept_proof(self, code: str) -> dict[str, Any]:
        """Wait until an order has a payment proof whose file is kept; give the order.

        Raises:
            NotAsExpected: it does not come in time.

        """
        give_up_at = time.monotonic() + PROOF_TIMEOUT_SECONDS
        while time.monotonic() < give_up_at:
            order = self.load_order(code)
            if order["proofs"] and all(proof["status"] == "KEPT" for proof in order["proofs"]):
                return order
            time.sleep(0.2)
        raise DemoMismatch(
            f"the receipt of {code} was not fetched within {PROOF_TIMEOUT_SECONDS:.0f} s"
        )

    def load_order(self, code: str) -> dict[str, Any]:
        """Find an order by its code.

        Raises:
            NotAsExpected: the API does not list it.

        """
        listed = self._http.get("/orders").raise_for_status().json()["results"]
        found: dict[str, Any] | None = next((o for o in listed if o["code"] == code), None)
        if found is None:
            raise DemoMismatch(f"the API does not list {code}")
        return found

    def confirm_payment(self, order: dict[str, Any]) -> None:
        """Confirm that the whole total of an order arrived, having seen its proofs.

        Raises:
            NotAsExpected: the order was not paid by that.

        """
        seen = [proof["id"] for proof in order["proofs"]]
        answer = self._http.post(
            f"/orders/{order['code']}/confirm-payment",
            json={"amount": order["total"], "proofs": seen},
        )
        if answer.is_error or answer.json()["status"] != "PAID":
            raise DemoMismatch(f"the API did not confirm {order['code']}: {answer.text}")
