"""Tests of listing and reading orders over the API."""

from urllib.parse import quote

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from backoffice.messaging.contacts import contact_search
from shared.core.enums import Scope
from shared.raffles.models import Order
from shared.use_cases import payments
from shared.whatsapp.models import WhatsAppContact
from tests import builders
from tests.builders import MINUTE, NOON
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.api_client import ApiProgram, create_late_order, parse_refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(db: None) -> ApiProgram:
    return ApiProgram(sample_data.create_api_token("reader", scope=Scope.READ))


class TestOrder:
    def test_says_what_led_its_buyer_to_the_chat(self, api: ApiProgram) -> None:
        order = sample_data.place_order(numbers=[7])
        Order.objects.update(source_kind="AD", source_name="Chat with us", source_id="1202")

        body = api.get(f"/api/orders/{order.code}").json()

        assert body["source"] == {"kind": "AD", "name": "Chat with us", "id": "1202"}

    def test_has_everything_a_reviewer_needs(self, api: ApiProgram) -> None:
        buyer = builders.create_contact(profile_name="Ana", wa_id="15550109999", user_id="US.1")
        order = sample_data.place_order(numbers=[7, 13], buyer=buyer)
        proof = sample_data.keep_proof_file(sample_data.receive_proof(order))

        body = api.get("/api/orders?status=PENDING_PAYMENT").json()

        assert (body["count"], body["next"], body["previous"]) == (1, None, None)
        expected = {
            "id": order.pk,
            "code": order.code,
            "status": "PENDING_PAYMENT",
            "raffle": {"id": order.raffle_id, "title": "Summer Raffle"},
            "buyer": {"name": "Ana", "phone": "+15550109999", "user_id": "US.1"},
            "numbers": ["007", "013"],
            "quantity": 2,
            "unit_price": "5.00",
            "total": "10.00",
            "currency": "USD",
            "created_at": "2026-11-22T12:00:00+00:00",
            "placed_at": "2026-11-22T12:00:00+00:00",
            "expires_at": None,
            "under_review_since": "2026-11-22T12:01:00+00:00",
            "closed_at": None,
            "needs_decision": False,
            "source": None,
            "confirmation_id": None,
            "refund": None,
            "proofs": [
                {
                    "id": proof.pk,
                    "status": "KEPT",
                    "verdict": "PENDING",
                    "content_type": "image/jpeg",
                    "arrived_at": "2026-11-22T12:01:00+00:00",
                    "late": False,
                    "sha256": proof.sha256,
                }
            ],
        }
        assert body["results"] == [expected]

        alone = api.get(f"/api/orders/{str(order.code).lower()}/").json()
        history = alone.pop("history")
        assert alone == expected
        assert [line["action"] for line in history] == ["HELD", "PLACED", "PROOF_RECEIVED"]
        assert history[1] == {
            "action": "PLACED",
            "by": {"kind": "chat", "label": "Buyer"},
            "from_status": "DRAFT",
            "to_status": "PENDING_PAYMENT",
            "reason": "",
            "at": "2026-11-22T12:00:00+00:00",
        }
        assert history[0]["from_status"] is None

    @pytest.mark.same_everywhere
    def test_of_cash_without_a_name_has_no_buyer(self, api: ApiProgram) -> None:
        builders.create_order_row(builders.create_raffle(numbers=1))

        assert api.get("/api/orders/").json()["results"][0]["buyer"] is None


class TestFilters:
    def test_choose_among_orders_of_every_kind(self, api: ApiProgram) -> None:
        summer, winter = builders.create_raffle(), builders.create_raffle(title="Winter Raffle")
        ana = builders.create_contact(
            profile_name="Ana García", wa_id="491712345678", user_id="DE.7700123"
        )
        paid = sample_data.place_order(summer, numbers=[1, 2], buyer=ana)
        payments.confirm_payment(paid.pk, by=builders.build_staff_actor(), now=NOON + 3 * MINUTE)
        reviewed = sample_data.place_order(summer, numbers=[3])
        sample_data.receive_proof(reviewed)
        late = create_late_order(winter)
        payments.confirm_payment(late.pk, by=builders.build_staff_actor(), now=NOON + 90 * MINUTE)
        holder = type(late).objects.latest("pk")  # somebody else, who holds 007 by now
        hold = sample_data.hold_numbers(summer, numbers=[8])
        cash = builders.create_order_row(
            summer, buyer_name="Bo Li", buyer_phone="+49 (0)30 1234567"
        )
        every = [paid, reviewed, late, holder, hold, cash]

        def at(minutes: int, offset: str = "%2B00:00") -> str:
            return f"{NOON + minutes * MINUTE:%Y-%m-%dT%H:%M:%S}{offset}"

        for query, expected in {
            "": every,
            "status=&raffle=&has_proof=&buyer=&created_since=": every,
            "status=PAID": [paid],
            "status=PAID,EXPIRED": [paid, late],
            "status=PAID&status=EXPIRED, DRAFT": [paid, late, hold, cash],
            f"raffle={winter.pk}": [late, holder],
            "raffle=999": [],
            "has_proof=true": [reviewed],
            "has_proof=false&status=PENDING_PAYMENT": [holder],
            "under_review=True": [reviewed],
            "under_review=0": [paid, late, holder, hold, cash],
            "needs_decision=1": [late],
            "needs_decision=no": [paid, reviewed, holder, hold, cash],
            f"created_since={at(0)}": every,
            f"created_since={at(1)}": [],
            f"created_before={at(0)}": [],
            f"created_before={at(1, 'Z')}": every,
            f"placed_since={at(0)}": [paid, reviewed, late, holder],
            f"updated_since={at(1)}": [paid, reviewed, late],
            f"updated_since={at(3)}": [paid, late],
            f"updated_since={at(3, ' 00:00')}": [paid, late],  # an unescaped plus sign
            f"updated_since={at(63, '%2B01:00')}": [paid, late],
            "updated_since=2026-11-23": [],
            "buyer=491712345678": [paid],
            "buyer=%2B49 171 234-5678": [paid],
            "buyer=garcía ana": [paid],
            "buyer=DE.7700123": [paid],
            "buyer=030 1234567": [cash],
            "buyer=li": [cash],
            "buyer=nobody": [],
            "buyer=7700123": [],
            f"code={str(late.code).lower().removeprefix('r-')}": [late],
            "code=nonsense": [],
            "number=7": [late, holder],
            "number=0007&status=EXPIRED": [late],
            f"number=2&raffle={summer.pk}": [paid],
            f"number=%232&raffle={winter.pk}": [],
            "ordering=-id&status=PAID,EXPIRED": [late, paid],
        }.items():
            assert api.list_ids(query) == [order.pk for order in expected], query

    @pytest.mark.same_everywhere
    def test_refuse_what_they_do_not_understand_by_its_name(self, api: ApiProgram) -> None:
        sample_data.place_order()
        for query, field in {
            "statuss=PAID": "statuss",
            "colour=": "colour",
            "status=paid": "status",
            "raffle=x": "raffle",
            "raffle=1&raffle=2": "raffle",
            "has_proof=perhaps": "has_proof",
            "created_since=yesterday": "created_since",
            "updated_since=0001-01-01T00:00:00%2B10:00": "updated_since",
            "number=seven": "number",
            "page_size=0": "page_size",
            "page_size=x": "page_size",
            "after=-1": "after",
            "after=" + "9" * 30: "after",
            "after=1&before=9": "before",
            "ordering=code": "ordering",
        }.items():
            answer = api.get(f"/api/orders?{query}")
            assert parse_refusal(answer) == (400, "malformed"), query
            assert list(answer.json()["detail"]) == [field], query

    @pytest.mark.same_everywhere
    def test_refuse_a_name_so_common_that_orders_would_be_missing(self, api: ApiProgram) -> None:
        WhatsAppContact.objects.bulk_create(
            WhatsAppContact(phone_number_id="1", wa_id=str(n), profile_name="Ana", created_at=NOON)
            for n in range(contact_search.MAX_SEARCH_MATCHES)
        )

        answer = api.get("/api/orders?buyer=ana")

        assert parse_refusal(answer) == (400, "malformed")
        assert "write more of it" in answer.json()["message"]


class TestPages:
    @pytest.mark.same_everywhere
    def test_skip_nothing_while_what_they_list_is_confirmed(self, api: ApiProgram) -> None:
        raffle = builders.create_raffle()
        pending = [sample_data.place_order(raffle, numbers=[number]).pk for number in range(1, 8)]
        listed: list[int] = []
        address = "/api/orders?status=PENDING_PAYMENT&page_size=3"
        counts = []

        while address:
            page = api.get(address).json()
            counts.append(page["count"])
            for row in page["results"]:
                listed.append(row["id"])
                payments.confirm_payment(row["id"], by=builders.build_staff_actor(), now=NOON)
            address = page["next"]

        assert listed == pending
        assert counts == [7, 4, 1]

    @pytest.mark.parametrize("ordering", ["id", "-id"])
    def test_lead_there_and_back(self, api: ApiProgram, ordering: str) -> None:
        raffle = builders.create_raffle()
        ids = [sample_data.place_order(raffle, numbers=[number]).pk for number in range(1, 6)]
        if ordering == "-id":
            ids.reverse()

        there = [api.get(f"/api/orders?page_size=2&ordering={ordering}").json()]
        while there[-1]["next"]:
            there.append(api.get(there[-1]["next"]).json())
        back = [there[-1]]
        while back[-1]["previous"]:
            back.append(api.get(back[-1]["previous"]).json())

        def seen(pages: list[dict[str, list[dict[str, int]]]]) -> list[list[int]]:
            return [[row["id"] for row in page["results"]] for page in pages]

        assert seen(there) == [ids[:2], ids[2:4], ids[4:]]
        assert seen(back) == seen(there)[::-1]
        assert {page["count"] for page in there} == {5}

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(
        ("host", "more", "expected"),
        [
            ("raffles.example", {}, "https://raffles.example"),
            ("raffles.example", {"X-Forwarded-Proto": "https"}, "https://raffles.example"),
            # a proxy that forwards the host in a header
            ("127.0.0.1:8000", {"X-Forwarded-Host": "raffles.example"}, "https://raffles.example"),
            ("localhost", {"X-Forwarded-For": "203.0.113.9"}, "https://raffles.example"),
            ("127.0.0.1:8000", {"X-Forwarded-Host": "evil.example"}, "https://raffles.example"),
            # a curl on the same machine
            ("127.0.0.1:8000", {}, "http://127.0.0.1:8000"),
            ("localhost:9000", {}, "http://localhost:9000"),
            ("[::1]:8000", {}, "http://[::1]:8000"),
        ],
    )
    def test_have_addresses_that_are_right_behind_a_proxy(
        self, api: ApiProgram, settings: Settings, host: str, more: dict[str, str], expected: str
    ) -> None:
        settings.PUBLIC_URL = "https://raffles.example"
        settings.ALLOWED_HOSTS = ["raffles.example", "127.0.0.1", "localhost", "[::1]"]
        raffle = builders.create_raffle(numbers=2)
        first, _ = builders.create_order_row(raffle), builders.create_order_row(raffle)

        page = api.get("/api/orders/?page_size=1&status=DRAFT,PAID", Host=host, **more).json()

        query = f"page_size=1&status={quote('DRAFT,PAID')}&after={first.pk}"
        assert page["next"] == f"{expected}/api/orders/?{query}"

    @pytest.mark.same_everywhere
    def test_take_as_many_queries_for_many_as_for_few(
        self, api: ApiProgram, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        raffle = builders.create_raffle()
        for number in range(1, 12):
            sample_data.receive_proof(
                sample_data.place_order(raffle, numbers=[number, number + 50])
            )
        api.get("/api/orders")  # records the token's last use

        for query in ("page_size=10", "buyer=buyer&page_size=10", "number=3&has_proof=true"):
            with django_assert_max_num_queries(9):
                assert api.get(f"/api/orders?{query}").status_code == 200
