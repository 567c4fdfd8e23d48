"""Tests of payment proofs over the API: lists, fields and files."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from shared.core.enums import ProofStatus, Scope
from shared.publishing import signed_links
from shared.raffles.models import Order, PaymentProof
from shared.raffles.services import locks
from shared.raffles.services.proof_placement import proof_sharing
from shared.use_cases import payments
from tests import builders
from tests.builders import MINUTE, NOON
from tests.integration.backoffice import sample_data

pytestmark = pytest.mark.django_db

WEEK = timedelta(days=7)


@pytest.fixture
def api(db: None) -> Client:
    return Client(
        headers={"Authorization": f"Bearer {sample_data.create_api_token(scope=Scope.READ)}"}
    )


@pytest.fixture
def order(db: None) -> Order:
    return sample_data.place_order()


@pytest.fixture
def kept_proof(order: Order) -> PaymentProof:
    return sample_data.keep_proof_file(sample_data.receive_proof(order))


def read_content(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


class TestProof:
    def test_says_whose_it_is_and_where_its_file_can_be_read(
        self, api: Client, order: Order, kept_proof: PaymentProof
    ) -> None:
        other = sample_data.place_order()
        twin = sample_data.keep_proof_file(sample_data.receive_proof(other))

        body = api.get(f"/api/proofs/{twin.pk}/").json()

        assert body["order"] == {"id": other.pk, "code": other.code}
        assert body["duplicate_of"] == order.code
        assert (body["status"], body["verdict"], body["caption"]) == ("KEPT", "PENDING", "paid!")
        assert (body["sha256"], body["size"]) == (kept_proof.sha256, kept_proof.size)
        assert (body["reviewer"], body["reject_reason"]) == (None, None)
        link = body["url"][body["url"].index("/api/") :]
        assert read_content(Client().get(link)) == sample_data.draw_picture()

    @pytest.mark.same_everywhere
    def test_names_the_other_orders_of_one_receipt_and_no_duplicate(
        self, api: Client, order: Order, kept_proof: PaymentProof
    ) -> None:
        other = sample_data.place_order()
        with transaction.atomic():
            row = proof_sharing.share_proof(
                kept_proof,
                order=locks.lock_order(other.pk),
                by=builders.build_chat_actor(),
                now=NOON,
            ).proof

        for proof, code in ((kept_proof, other.code), (row, order.code)):
            body = api.get(f"/api/proofs/{proof.pk}").json()
            assert (body["shared_with"], body["duplicate_of"]) == ([code], None)
            link = body["url"][body["url"].index("/api/") :]
            assert read_content(Client().get(link)) == sample_data.draw_picture()

    @pytest.mark.same_everywhere
    def test_without_a_file_has_no_link(self, api: Client, order: Order) -> None:
        body = api.get(f"/api/proofs/{sample_data.receive_proof(order).pk}").json()

        assert (body["status"], body["url"], body["expires_at"]) == ("FETCHING", None, None)

    def test_of_an_order_are_found_by_its_code(
        self, api: Client, order: Order, kept_proof: PaymentProof
    ) -> None:
        second = sample_data.receive_proof(order)
        sample_data.receive_proof(sample_data.place_order())

        body = api.get(f"/api/orders/{str(order.code).lower()}/proofs").json()

        assert [proof["id"] for proof in body["results"]] == [kept_proof.pk, second.pk]
        unknown = api.get("/api/orders/999/proofs")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "order_not_found")

    @pytest.mark.parametrize("key", ["999", "x", "9" * 30])
    @pytest.mark.parametrize("path", ["", "/file"])
    def test_an_unknown_one_is_not_found(self, api: Client, key: str, path: str) -> None:
        answer = api.get(f"/api/proofs/{key}{path}")

        assert (answer.status_code, answer.json()["code"]) == (404, "proof_not_found")


class TestMove:
    @pytest.fixture
    def api(self, db: None) -> Client:
        return Client(headers={"Authorization": f"Bearer {sample_data.create_api_token()}"})

    def move(self, api: Client, proof: PaymentProof, **body: Any) -> Any:
        return api.post(f"/api/proofs/{proof.pk}/move", body, content_type="application/json")

    def test_puts_it_to_the_other_order_once(
        self, api: Client, order: Order, kept_proof: PaymentProof
    ) -> None:
        right = sample_data.place_order()
        body = {"order": str(right.code).lower(), "from_order": str(order.pk)}

        first, again = (self.move(api, kept_proof, **body) for _ in range(2))

        assert (first.status_code, again.status_code) == (200, 200)
        assert first.json()["order"] == {"id": right.pk, "code": right.code}
        assert [each.json()["already_moved"] for each in (first, again)] == [False, True]
        right.refresh_from_db()
        order.refresh_from_db()
        assert (right.under_review, order.under_review) == (True, False)
        assert order.expires_at is not None
        actions = list(right.events.values_list("action", flat=True))
        assert actions.count("PROOF_RECEIVED") == 1

    def test_attaches_one_that_fits_no_order(self, api: Client, order: Order) -> None:
        orphan = sample_data.receive_proof(None, contact_id=builders.create_contact().pk)

        answer = self.move(api, orphan, order=order.code, from_order=None)

        assert answer.json()["order"] == {"id": order.pk, "code": order.code}
        assert order.proofs.get() == orphan

    def test_whoever_comes_second_is_told_where_it_is(
        self, api: Client, order: Order, kept_proof: PaymentProof
    ) -> None:
        right, other = sample_data.place_order(), sample_data.place_order()
        self.move(api, kept_proof, order=right.code, from_order=order.code)

        answer = self.move(api, kept_proof, order=other.code, from_order=order.code)

        assert (answer.status_code, answer.json()["code"]) == (409, "proof_settled")
        assert answer.json()["detail"]["order_code"] == right.code
        assert not other.proofs.exists()

    def test_a_verdict_that_names_it_is_refused(
        self, api: Client, order: Order, kept_proof: PaymentProof
    ) -> None:
        right = sample_data.place_order()
        self.move(api, kept_proof, order=right.code, from_order=order.code)

        for decision, more in (
            ("confirm-payment", {}),
            ("reject-payment", {"reason": "ILLEGIBLE"}),
        ):
            answer = api.post(
                f"/api/orders/{order.code}/{decision}",
                {"proofs": [kept_proof.pk], **more},
                content_type="application/json",
            )
            assert (answer.status_code, answer.json()["code"]) == (422, "proof_elsewhere")

    @pytest.mark.same_everywhere
    def test_refuses_what_makes_no_sense(
        self, api: Client, order: Order, kept_proof: PaymentProof
    ) -> None:
        right = sample_data.place_order()
        named = {"order": right.code, "from_order": order.code}
        reader = sample_data.create_api_token("reader", scope=Scope.READ)

        refused = [
            (self.move(api, kept_proof, order=right.code), 400, "malformed"),
            (self.move(api, kept_proof, **named, note="x"), 400, "malformed"),
            (self.move(api, kept_proof, **named | {"order": "R-XXXXX"}), 404, "order_not_found"),
            (self.move(api, PaymentProof(pk=999), **named), 404, "proof_not_found"),
            (
                self.move(api, kept_proof, **named | {"order": order.code}),
                409,
                "proof_row_exists",
            ),
            (
                self.move(
                    Client(headers={"Authorization": f"Bearer {reader}"}), kept_proof, **named
                ),
                403,
                "scope_missing",
            ),
        ]

        for answer, status, code in refused:
            assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert order.proofs.get() == kept_proof


class TestList:
    def test_is_chosen_by_order_status_verdict_and_time(
        self,
        api: Client,
        order: Order,
        kept_proof: PaymentProof,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        orphan = sample_data.receive_proof(
            None, contact_id=builders.create_contact().pk, at=NOON + 9 * MINUTE
        )
        judged = sample_data.receive_proof(order)
        PaymentProof.objects.filter(pk=judged.pk).update(verdict="REJECTED")
        everything = [kept_proof.pk, orphan.pk, judged.pk]

        def listed(query: str) -> list[int]:
            with django_assert_max_num_queries(6):
                answer = api.get(f"/api/proofs?{query}")
            assert answer.status_code == 200, answer.content
            return [proof["id"] for proof in answer.json()["results"]]

        assert listed("") == everything
        assert listed("order=none&verdict=PENDING") == [orphan.pk]
        assert (
            listed(f"order={order.code}")
            == listed(f"order={order.pk}")
            == [kept_proof.pk, judged.pk]
        )
        assert listed("order=R-XXXXX") == []
        assert listed("status=KEPT") == [kept_proof.pk]
        assert listed("verdict=REJECTED,PENDING&ordering=-id") == everything[::-1]
        assert listed("arrived_since=2026-11-22T12:05:00Z") == [orphan.pk]
        assert listed(f"after={kept_proof.pk}&page_size=1") == [orphan.pk]

    def test_has_what_a_person_must_sort(self, api: Client, order: Order) -> None:
        first = sample_data.keep_proof_file(sample_data.receive_proof(order))
        payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=NOON)
        second = sample_data.receive_proof(order)
        orphan = sample_data.receive_proof(None, contact_id=builders.create_contact().pk)
        reviewed = sample_data.receive_proof(sample_data.place_order())

        def listed(wanted: str) -> list[int]:
            answer = api.get(f"/api/proofs?to_sort={wanted}")
            return [proof["id"] for proof in answer.json()["results"]]

        assert listed("true") == [second.pk, orphan.pk]
        assert listed("false") == [first.pk, reviewed.pk]

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(
        "query", ["verdict=maybe", "arrived_since=noon", "page=2", "orders=none"]
    )
    def test_a_question_that_makes_no_sense_is_refused(self, api: Client, query: str) -> None:
        for path in ("/api/proofs", "/api/orders/1/proofs"):
            answer = api.get(f"{path}?{query}")
            assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


@pytest.mark.same_everywhere
class TestFile:
    def test_is_sent_as_what_it_is_and_cannot_run(
        self, api: Client, kept_proof: PaymentProof
    ) -> None:
        answer = api.get(f"/api/proofs/{kept_proof.pk}/file", headers={"Accept": "image/*"})

        assert read_content(answer) == sample_data.draw_picture()
        assert answer["Content-Type"] == "image/jpeg"
        assert (
            answer["Content-Disposition"]
            == f'inline; filename="{kept_proof.order}-{kept_proof.pk}.jpg"'
        )
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer["Content-Security-Policy"]
        assert "no-store" in answer["Cache-Control"]

    def test_what_a_browser_might_run_is_a_download(self, api: Client, order: Order) -> None:
        page = sample_data.keep_proof_file(
            sample_data.receive_proof(order), content=b"<p>", content_type="text/html"
        )

        answer = api.get(f"/api/proofs/{page.pk}/file")

        assert read_content(answer) == b"<p>"
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["Content-Disposition"].startswith("attachment")

    @pytest.mark.parametrize(
        ("content_type", "disposition", "ending"),
        [
            ("image/gif", "inline", ".gif"),
            ("image/avif", "inline", ".avif"),
            ("image/heic", "attachment", ".heic"),
            ("image/tiff", "attachment", ".tif"),
        ],
    )
    def test_that_browsers_cannot_show_is_a_download_of_its_true_type(
        self, api: Client, order: Order, content_type: str, disposition: str, ending: str
    ) -> None:
        proof = sample_data.keep_proof_file(
            sample_data.receive_proof(order), content=b"picture", content_type=content_type
        )

        answer = api.get(f"/api/proofs/{proof.pk}/file")

        assert read_content(answer) == b"picture"
        assert answer["Content-Type"] == content_type
        assert answer["Content-Disposition"].startswith(disposition)
        assert ending in answer["Content-Disposition"]
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer["Content-Security-Policy"]

    def test_head_tells_about_it_and_sends_nothing(
        self, api: Client, kept_proof: PaymentProof
    ) -> None:
        answer = api.head(f"/api/proofs/{kept_proof.pk}/file/")

        assert (answer.status_code, answer["Content-Length"]) == (200, str(kept_proof.size))
        assert read_content(answer) == b""

    @pytest.mark.parametrize(
        ("make", "code"),
        [
            (
                lambda key: signed_links.sign_proof_id(key, now=timezone.now() - WEEK),
                "proof_link_expired",
            ),
            (
                lambda key: signed_links.sign_proof_id(key + 1, now=timezone.now()),
                "proof_link_broken",
            ),
            (
                lambda key: signed_links.sign_proof_id(key, now=timezone.now())[:-1],
                "proof_link_broken",
            ),
            (lambda _: "", "proof_link_broken"),
        ],
    )
    def test_a_link_that_is_too_old_or_not_ours_opens_nothing_at_no_cost(
        self,
        kept_proof: PaymentProof,
        make: Callable[[int], str],
        code: str,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        path, signature = f"/api/proofs/{kept_proof.pk}/file", make(kept_proof.pk)

        with django_assert_num_queries(0):
            answer = Client().get(path, {"signature": signature})

        assert (answer.status_code, answer.json()["code"]) == (403, code)

    def test_without_token_or_link_nobody_sees_it(self, kept_proof: PaymentProof) -> None:
        assert Client().get(f"/api/proofs/{kept_proof.pk}/file").status_code == 401

    @pytest.mark.parametrize(
        ("status", "expected", "code", "retryable"),
        [
            (ProofStatus.FETCHING, 409, "proof_fetching", True),
            (ProofStatus.FAILED, 410, "proof_failed", False),
            (ProofStatus.KEPT, 404, "proof_file_not_found", False),
        ],
    )
    def test_that_is_not_there_says_whether_it_will_be(
        self,
        api: Client,
        order: Order,
        status: ProofStatus,
        expected: int,
        code: str,
        retryable: bool,
    ) -> None:
        proof = sample_data.receive_proof(order)
        PaymentProof.objects.filter(pk=proof.pk).update(status=status, file="gone.jpg")

        answer = api.get(f"/api/proofs/{proof.pk}/file")

        body = answer.json()
        assert (answer.status_code, body["code"], body["retryable"]) == (expected, code, retryable)
        assert ("Retry-After" in answer) is retryable
