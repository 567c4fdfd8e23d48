"""HTTP clients of the seller: a browser for the admin's forms, and an API client."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from ssl import SSLContext
from typing import Any, Final, Self

import httpx

PROOF_TIMEOUT_SECONDS: Final = 15.0
"""Seconds in which the gateway must fetch a proof."""


class DemoMismatch(Exception):
    """The demo did not do what its script expects; the message names both."""


@dataclass
class HtmlForm:
    """A form of a page: its action and its filled fields."""

    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)


class HtmlPage(HTMLParser):
    """Parser for the forms and links of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[HtmlForm] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect forms, their fields, and links."""
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(HtmlForm(attributes.get("action", "")))
        elif tag == "input" and self.forms and attributes.get("name"):
            values = self.forms[-1].fields.setdefault(attributes["name"], [])
            values.append(attributes.get("value", ""))
        elif tag == "a":
            self.links.append(attributes.get("href", ""))


class AdminBrowser:
    """A minimal browser with cookies, for logging in and pressing a button."""

    def __init__(self, address: str, *, verify: SSLContext | bool = True) -> None:
        self._http = httpx.Client(
            base_url=address,
            headers={"Origin": address},
            follow_redirects=True,
            trust_env=False,
            timeout=30,
            verify=verify,
        )

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._http.close()

    def log_in(self, *, username: str, password: str) -> None:
        """Submit the login form.

        Raises:
            DemoMismatch: it did not lead to the admin.
            httpx.HTTPError: the back office did not answer, or with an error.

        """
        page = self._open("/admin/login/?next=/admin/")
        typed = {"username": [username], "password": [password]}
        there = self._submit(page, lambda form: "password" in form.fields, typed)
        if there.url.path != "/admin/":
            raise DemoMismatch(f"the login of {username} led to {there.url.path}, not to /admin/")

    def confirm_payment(self, code: str) -> None:
        """Find an order by its code, open its page and press the button that confirms.

        Raises:
            DemoMismatch: there is no such order or button, or the order is not paid afterwards.
            httpx.HTTPError: the back office did not answer, or with an error.

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

    def submit_form(
        self,
        address: str,
        *,
        form: str,
        typed: Mapping[str, str],
        expected: str,
        picture: tuple[str, bytes] | None = None,
    ) -> None:
        """Open a page, fill in one of its forms, and press the button.

        Args:
            address: path of the page.
            form: name of a field that only this form has, or the end of its action.
            typed: values by name of the field; the others stay as the page has them.
            expected: words of the page that follows.
            picture: name of a field for files, and the bytes of a JPEG.

        Raises:
            DemoMismatch: there is no such form, or the words are missing afterwards.
            httpx.HTTPError: the back office did not answer, or with an error.

        """
        page = self._open(address)
        values = {name: [value] for name, value in typed.items()}
        after = self._submit(
            page,
            lambda each: form in each.fields or each.action.endswith(form),
            values,
            picture=picture,
        )
        if expected not in after.text:
            raise DemoMismatch(f"{after.url.path} does not say “{expected}” after {address}")

    def _open(self, address: str) -> httpx.Response:
        return self._http.get(address).raise_for_status()

    def _submit(
        self,
        page: httpx.Response,
        wanted: Callable[[HtmlForm], bool],
        typed: dict[str, list[str]],
        *,
        picture: tuple[str, bytes] | None = None,
    ) -> httpx.Response:
        form = next((form for form in HtmlPage(page.text).forms if wanted(form)), None)
        if form is None:
            raise DemoMismatch(f"{page.url.path} does not have the form that is looked for")
        target = page.url.join(form.action)
        referer = {"Referer": str(page.url)}
        fields, files = form.fields | typed, None
        if picture is not None:
            name, content = picture
            fields.pop(name, None)
            files = {name: ("photo.jpg", content, "image/jpeg")}
        return self._http.post(target, data=fields, files=files, headers=referer).raise_for_status()


class ApiClient:
    """A program with an API token, such as a workflow of n8n."""

    def __init__(self, address: str, *, token: str, verify: SSLContext | bool = True) -> None:
        self._http = httpx.Client(
            base_url=f"{address}/api",
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=30,
            verify=verify,
        )

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._http.close()

    def wait_for_kept_proof(self, code: str) -> dict[str, Any]:
        """Wait until an order has payment proofs whose files are stored; return the order.

        Raises:
            DemoMismatch: that does not happen in time.
            httpx.HTTPError: the API did not answer, or with an error.

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
        """Return an order by its code.

        Raises:
            DemoMismatch: the API does not list it.
            httpx.HTTPError: the API did not answer, or with an error.

        """
        listed = self._http.get("/orders").raise_for_status().json()["results"]
        found: dict[str, Any] | None = next((o for o in listed if o["code"] == code), None)
        if found is None:
            raise DemoMismatch(f"the API does not list {code}")
        return found

    def confirm_payment(self, order: dict[str, Any]) -> None:
        """Confirm that the total of an order arrived, and name the proofs that were seen.

        Raises:
            DemoMismatch: the order is not paid afterwards.
            httpx.HTTPError: the API did not answer.

        """
        seen = [proof["id"] for proof in order["proofs"]]
        answer = self._http.post(
            f"/orders/{order['code']}/confirm-payment",
            json={"amount": order["total"], "proofs": seen},
        )
        if answer.is_error or answer.json()["status"] != "PAID":
            raise DemoMismatch(f"the API did not confirm {order['code']}: {answer.text}")

    def undo_confirmation(self, order: dict[str, Any], *, reason: str) -> None:
        """Undo the confirmation of a paid order.

        Raises:
            DemoMismatch: the order is not under review afterwards.
            httpx.HTTPError: the API did not answer.

        """
        answer = self._http.post(
            f"/orders/{order['code']}/undo-confirmation",
            json={"confirmation_id": order["confirmation_id"], "reason": reason},
        )
        if answer.is_error or answer.json()["status"] != "PENDING_PAYMENT":
            raise DemoMismatch(f"the API did not undo {order['code']}: {answer.text}")

    def refund(self, order: dict[str, Any], *, note: str, reference: str) -> None:
        """Refund a paid order.

        Raises:
            DemoMismatch: the order is not cancelled afterwards.
            httpx.HTTPError: the API did not answer.

        """
        answer = self._http.post(
            f"/orders/{order['code']}/refund",
            json={
                "confirmation_id": order["confirmation_id"],
                "note": note,
                "reference": reference,
            },
        )
        if answer.is_error or answer.json()["status"] != "CANCELLED":
            raise DemoMismatch(f"the API did not refund {order['code']}: {answer.text}")

    def close_raffle(self, raffle_id: int) -> None:
        """End the sale of a raffle.

        Raises:
            DemoMismatch: it is not closed afterwards.
            httpx.HTTPError: the API did not answer.

        """
        answer = self._http.post(f"/raffles/{raffle_id}/close")
        if answer.is_error or answer.json()["status"] != "CLOSED":
            raise DemoMismatch(f"the API did not close the raffle: {answer.text}")

    def load_draw(self, raffle_id: int) -> dict[str, Any]:
        """Return the draw of a raffle: rules, sealed list and results."""
        draw: dict[str, Any] = (
            self._http.get(f"/raffles/{raffle_id}/draw").raise_for_status().json()
        )
        return draw

    def list_sold_numbers(self, raffle_id: int) -> list[str]:
        """Return the sold numbers of a raffle, with their zeros."""
        query = {"status": "sold"}
        answer = self._http.get(f"/raffles/{raffle_id}/numbers", params=query).raise_for_status()
        return [
            f"{number:0{len(each['from'])}d}"
            for each in answer.json()["ranges"]
            for number in range(int(each["from"]), int(each["to"]) + 1)
        ]

    def download_record(self, raffle_id: int) -> bytes:
        """Return the public record of a raffle's draw, a ZIP."""
        return self._http.get(f"/raffles/{raffle_id}/draw/record").raise_for_status().content
