"""Tests of the review queue and the review page."""

from io import BytesIO
from typing import Any, Final

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction
from django.test import Client
from django.urls import reverse
from PIL import Image
from pytest_django import DjangoAssertNumQueries

from shared.core.enums import OrderStatus, RejectReason, RenditionStatus
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.services import locks
from shared.raffles.services.payment_proofs.proof_fetching import UnreadableFile
from shared.raffles.services.proof_placement import proof_sharing
from shared.use_cases import order_endings, payments, proof_files
from tests import builders
from tests.builders import MINUTE, NOON
from tests.hostile_files import write_gif, write_pdf
from tests.integration.backoffice import sample_data
from tests.receipts import COPY_METHODS, draw_receipt, encode_jpeg

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviewer(client: Client) -> Client:
    """Return the browser of a reviewer; unlike a superuser's, its permissions cost queries."""
    client.force_login(
        sample_data.create_user("rita", *sample_data.REVIEWER_PERMISSIONS, "view_paymentproof")
    )
    return client


COLOURS: Final = ("red", "green", "blue", "navy", "gray")
RECEIPT: Final = encode_jpeg(draw_receipt())
COPY: Final = COPY_METHODS["halved"](draw_receipt())


def create_waiting_order(
    raffle: Raffle,
    number: int,
    *,
    minutes: int = 1,
    content: bytes | None = None,
    content_type: str = "image/jpeg",
) -> Order:
    """Create an order under review whose proof has a picture of its own."""
    order = sample_data.place_order(raffle, numbers=[number])
    proof = sample_data.receive_proof(order, at=NOON + minutes * MINUTE)
    sample_data.keep_proof_file(
        proof,
        content=content or sample_data.draw_picture(COLOURS[number % 5]),
        content_type=content_type,
    )
    return order


def load_page(browser: Client, name: str, *args: Any, query: str = "") -> str:
    answer = browser.get(reverse(f"admin:desk_{name}", args=args) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def list_shown_codes(page: str, found: list[Order]) -> list[str]:
    """Return the codes of those orders that the list shows, in its order."""
    rows = page.split('<ol class="waiting">')[1]
    there = [str(order) for order in found if f">{order}</a>" in rows]
    return sorted(there, key=lambda code: rows.index(f">{code}</a>"))


class TestQueue:
    @pytest.mark.same_everywhere
    def test_is_not_for_those_who_may_not_see_orders(self, client: Client) -> None:
        client.force_login(sample_data.create_user("other", "view_raffle"))
        order = create_waiting_order(builders.create_raffle(), 1)

        for name, args in (
            ("queue", []),
            ("queue_state", []),
            ("review", [order.pk]),
            ("review_state", [order.pk]),
        ):
            address = reverse(f"admin:desk_{name}", args=args)
            assert client.get(address).status_code == 403

    def test_has_the_longest_waiting_first_and_those_asked_again_last(
        self, reviewer: Client
    ) -> None:
        raffle = builders.create_raffle()
        asked, later, sooner = (create_waiting_order(raffle, n, minutes=n) for n in (1, 9, 5))
        payments.ask_for_better_proof(
            asked.pk, note="", by=builders.build_staff_actor(), now=NOON + 9 * MINUTE
        )

        page = load_page(reviewer, "queue")

        assert list_shown_codes(page, [asked, later, sooner]) == [
            str(sooner),
            str(later),
            str(asked),
        ]
        assert "Waiting for their buyers" in page
        assert f'class="btn btn-primary start" href="/admin/queue/{sooner.pk}/"' in page

    @pytest.mark.same_everywhere
    def test_can_be_narrowed_to_a_raffle(self, reviewer: Client) -> None:
        mine, other = (
            create_waiting_order(builders.create_raffle(), 1),
            create_waiting_order(builders.create_raffle(title="Winter"), 2),
        )

        page = load_page(reviewer, "queue", query=f"?raffle={mine.raffle_id}")

        assert list_shown_codes(page, [mine, other]) == [str(mine)]
        assert f'href="/admin/queue/{mine.pk}/?raffle={mine.raffle_id}"' in page

    def test_warns_of_the_same_file_of_look_alikes_and_of_several_proofs(
        self, reviewer: Client
    ) -> None:
        raffle = builders.create_raffle()
        first = create_waiting_order(raffle, 1, content=RECEIPT)
        twin = create_waiting_order(raffle, 2, content=RECEIPT)
        alike = create_waiting_order(raffle, 3, content=COPY)
        sample_data.receive_proof(alike)

        page = load_page(reviewer, "queue")

        assert f"Same file as {first}" in page
        assert f"Same file as {twin}" in page
        assert f"Looks like {first} and 1 more" in page
        assert "2 proofs" in page

    @pytest.mark.same_everywhere
    def test_shows_fifty_a_page(self, reviewer: Client) -> None:
        raffle = builders.create_raffle(with_numbers=False)
        for _ in range(51):
            builders.create_order_row(
                raffle, status=OrderStatus.PENDING_PAYMENT, under_review_since=NOON
            )

        first, second = load_page(reviewer, "queue"), load_page(reviewer, "queue", query="?page=2")

        assert (first.count("row-card"), second.count("row-card")) == (50, 1)
        assert "Page 1 of 2" in first
        assert 'href="?page=2"' in first

    @pytest.mark.parametrize(("asked", "shown"), [("", 1), ("x", 1), ("2", 2), ("3", 2)])
    def test_shows_the_nearest_page_that_exists(
        self, reviewer: Client, asked: str, shown: int
    ) -> None:
        raffle = builders.create_raffle(with_numbers=False)
        for _ in range(51):
            builders.create_order_row(
                raffle, status=OrderStatus.PENDING_PAYMENT, under_review_since=NOON
            )

        page = load_page(reviewer, "queue", query=f"?page={asked}&raffle={raffle.pk}")

        assert f"Page {shown} of 2" in page
        assert f'href="?page={3 - shown}&amp;raffle={raffle.pk}"' in page

    @pytest.mark.same_everywhere
    def test_takes_as_many_queries_for_many_as_for_few(
        self, reviewer: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        raffle = builders.create_raffle()
        for number in range(1, 13):
            create_waiting_order(raffle, number, content=(RECEIPT, COPY, None)[number % 3])

        with django_assert_max_num_queries(14):
            load_page(reviewer, "queue")

    @pytest.mark.same_everywhere
    def test_says_kindly_that_nothing_waits(self, reviewer: Client) -> None:
        assert "Nothing waits for review" in load_page(reviewer, "queue")


class TestReview:
    @pytest.mark.same_everywhere
    def test_shows_the_proof_beside_what_helps_to_judge_it(self, reviewer: Client) -> None:
        raffle = builders.create_raffle(time_zone="America/Bogota")
        order = create_waiting_order(raffle, 7)
        other = sample_data.place_order(builders.create_raffle(), numbers=[9], buyer=order.contact)
        proof = sample_data.receive_proof(other)
        payments.reject_payment(
            other.pk,
            reason=RejectReason.ILLEGIBLE,
            note="",
            by=builders.build_staff_actor(),
            now=NOON,
        )

        page = load_page(reviewer, "review", order.pk)

        shown = order.proofs.get()
        assert f'<img src="/admin/raffles/paymentproof/{shown.pk}/picture/"' in page
        assert f'name="seen" value="{shown.pk}"' in page
        assert f'name="seen" value="{proof.pk}"' not in page
        for words in ("$5.00", ">007<", "22 Nov 2026, 07:00", str(other), "rejected: illegible"):
            assert words in page
        assert "1 of 1" in page

    def test_compares_with_the_same_file_of_another_order(self, reviewer: Client) -> None:
        raffle = builders.create_raffle()
        first, second = (create_waiting_order(raffle, n, content=RECEIPT) for n in (1, 2))
        twin = first.proofs.get()

        page = load_page(reviewer, "review", second.pk)
        beside = load_page(reviewer, "review", second.pk, query=f"?compare={twin.pk}")

        assert "The very same file" in page
        assert f'href="/admin/queue/{second.pk}/?compare={twin.pk}"' in page
        assert 'class="pair"' not in page
        assert f'src="/admin/raffles/paymentproof/{twin.pk}/picture/"' in beside.split("pair")[1]

    @pytest.mark.same_everywhere
    def test_says_that_a_receipt_was_named_for_two_orders_and_is_no_duplicate(
        self, reviewer: Client
    ) -> None:
        raffle = builders.create_raffle()
        first, second = (sample_data.place_order(raffle, numbers=[number]) for number in (1, 2))
        proof = sample_data.receive_kept_proof(first)
        with transaction.atomic():
            proof_sharing.share_proof(
                proof,
                order=locks.lock_order(second.pk),
                by=builders.build_chat_actor(),
                now=NOON,
            )

        for order, other in ((first, second), (second, first)):
            page = load_page(reviewer, "review", order.pk)
            named = page.split("This receipt was named for several orders")[1]
            assert f">{other}</a>" in named.split("Each is decided by itself")[0]
            assert "The very same file" not in page
        asked = reviewer.post(
            reverse("admin:raffles_order_confirm", args=[first.pk]),
            {"seen": proof.pk, "waited": "yes"},
        )
        assert asked.status_code == 302
        assert Order.objects.get(pk=first.pk).status == OrderStatus.PAID
        assert Order.objects.get(pk=second.pk).under_review

    @pytest.mark.same_everywhere
    def test_points_out_a_buyer_with_much_that_waits(self, reviewer: Client) -> None:
        buyer = builders.create_contact()
        orders = [sample_data.place_order(builders.create_raffle(), buyer=buyer) for _ in range(3)]
        for order in orders[:2]:
            sample_data.receive_kept_proof(order)
        address = reverse("admin:whatsapp_whatsappcontact_change", args=[buyer.pk])
        quiet = load_page(reviewer, "review", orders[0].pk)
        sample_data.receive_kept_proof(orders[2])
        sample_data.receive_proof(None, contact_id=buyer.pk)
        reader = Client()
        reader.force_login(sample_data.create_user("sofia", "view_whatsappcontact"))

        line = "Much of this buyer waits at once: 3 orders under review, 1 receipt to sort."
        assert "Much of this buyer" not in quiet
        assert line in load_page(reviewer, "review", orders[0].pk)
        assert line in reader.get(address).content.decode()

    @pytest.mark.same_everywhere
    def test_shows_the_first_page_of_a_pdf_and_says_that_a_file_is_on_its_way(
        self, reviewer: Client
    ) -> None:
        order = sample_data.place_order()
        proof = sample_data.keep_proof_file(
            sample_data.receive_proof(order),
            content=write_pdf(pages=3),
            content_type="application/pdf",
        )
        sample_data.receive_proof(order)
        address = f"/admin/raffles/paymentproof/{proof.pk}/"
        assert reviewer.get(f"{address}picture/")["Content-Type"] == "image/jpeg"

        page = load_page(reviewer, "review", order.pk)

        assert f'<img src="{address}picture/"' in page
        assert f'href="{address}file/"' in page
        assert "Page 1 of 3" in page
        assert "<iframe" not in page
        assert "still being fetched" in page
        assert "Proof 2 of 2" in page
        assert 'data-key="confirm"' not in page
        assert "Not every file is here yet" in page
        assert 'name="money" value="yes"' in page

    @pytest.mark.same_everywhere
    def test_counts_the_pages_of_a_pdf_that_was_drawn_for_another_order(
        self, reviewer: Client
    ) -> None:
        content = write_pdf(pages=3)
        for _ in range(2):
            order = sample_data.place_order()
            proof = sample_data.keep_proof_file(
                sample_data.receive_proof(order), content=content, content_type="application/pdf"
            )
            picture = f"/admin/raffles/paymentproof/{proof.pk}/picture/"
            assert reviewer.get(picture)["Content-Type"] == "image/jpeg"

            assert "Page 1 of 3" in load_page(reviewer, "review", order.pk)

    @pytest.mark.same_everywhere
    def test_what_cannot_be_shown_counts_as_seen_only_once_it_was_opened(
        self, reviewer: Client
    ) -> None:
        order = create_waiting_order(
            builders.create_raffle(), 1, content=write_gif(60_000, 60_000), content_type="image/gif"
        )
        proof = order.proofs.get()
        picture = reviewer.get(reverse("admin:raffles_paymentproof_picture", args=[proof.pk]))
        assert picture.status_code == 404

        page = load_page(reviewer, "review", order.pk)

        assert "It takes too much time or memory to be shown here." in page
        assert f'/paymentproof/{proof.pk}/picture/"' not in page
        confirm_form = page.split("judge-confirm")[1].split("</form>")[0]
        ticked = f'<input type="checkbox" name="seen" value="{proof.pk}" required>'
        assert ticked in confirm_form
        assert f'type="hidden" name="seen" value="{proof.pk}"' not in confirm_form
        address = reverse("admin:raffles_order_confirm", args=[order.pk])
        reviewer.post(address, {"then": "queue", "waited": "yes"})
        order.refresh_from_db()
        assert order.status == OrderStatus.PENDING_PAYMENT
        reviewer.post(address, {"then": "queue", "waited": "yes", "seen": proof.pk})
        order.refresh_from_db()
        assert order.status == OrderStatus.PAID

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize("late", [False, True])
    def test_what_cannot_be_shown_is_ticked_on_the_page_of_the_order_too(self, late: bool) -> None:
        order = create_waiting_order(
            builders.create_raffle(), 1, content=write_gif(60_000, 60_000), content_type="image/gif"
        )
        proof = order.proofs.get()
        if late:
            order_endings.cancel_order(order.pk, by=builders.build_staff_actor(), now=NOON)
        browser = Client()
        browser.force_login(User.objects.create_superuser("olga"))
        browser.get(reverse("admin:raffles_paymentproof_picture", args=[proof.pk]))

        page = browser.get(reverse("admin:raffles_order_change", args=[order.pk])).content.decode()

        address = reverse("admin:raffles_order_confirm", args=[order.pk])
        form = page.split(f'action="{address}"')[1].split("</form>")[0]
        assert f'<input type="checkbox" name="seen" value="{proof.pk}" required>' in form
        assert f'type="hidden" name="seen" value="{proof.pk}"' not in form

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(
        ("error", "words"),
        [
            ("MediaProtected", "The PDF needs a password. The buyer was asked for another one."),
            ("MediaWrongType", "neither a picture nor a PDF"),
            ("GraphUncertain", "WhatsApp could not be reached"),
        ],
    )
    def test_says_why_a_file_cannot_be_opened_and_offers_what_came(
        self, reviewer: Client, error: str, words: str
    ) -> None:
        order = create_waiting_order(builders.create_raffle(), 1)
        proof = sample_data.receive_proof(order)
        proof_files.record_proof_fetch_failure(
            proof.pk,
            error=error,
            retry_at=None,
            now=NOON,
            unreadable=UnreadableFile(
                b"%PDF-1.7", "application/pdf", "pdf", RenditionStatus.PROTECTED
            ),
        )

        page = load_page(reviewer, "review", order.pk)

        assert words in page
        assert f'href="/admin/raffles/paymentproof/{proof.pk}/file/" download' in page

    @pytest.mark.same_everywhere
    def test_says_who_decided_where_nothing_waits_any_more(self, reviewer: Client) -> None:
        order = create_waiting_order(builders.create_raffle(), 1)
        payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=NOON)

        page = load_page(reviewer, "review", order.pk)

        assert "Rita confirmed it" in page
        assert "/confirm/" not in page

    @pytest.mark.same_everywhere
    def test_has_no_buttons_for_who_may_only_look(self, client: Client) -> None:
        client.force_login(sample_data.create_user("looker", "view_order"))
        order = create_waiting_order(builders.create_raffle(), 1)

        page = load_page(client, "review", order.pk)

        assert "You may look but not decide" in page
        assert "<form" not in page.split("data-review")[1].split("<dialog")[0]

    @pytest.mark.same_everywhere
    def test_escapes_what_buyers_wrote(self, reviewer: Client) -> None:
        buyer = builders.create_contact(profile_name="<script>alert(1)</script>")
        order = sample_data.place_order(buyer=buyer)
        sample_data.receive_proof(order)

        for page in (load_page(reviewer, "queue"), load_page(reviewer, "review", order.pk)):
            assert "<script>alert(1)" not in page

    def test_takes_fifteen_queries_whatever_came_with_the_order(
        self, reviewer: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        raffle = builders.create_raffle()
        for number in range(1, 5):
            create_waiting_order(raffle, number, content=(RECEIPT, COPY)[number % 2])
        order = create_waiting_order(raffle, 6, content=RECEIPT)
        for _ in range(4):
            sample_data.keep_proof_file(sample_data.receive_proof(order))
        sample_data.place_order(builders.create_raffle(), numbers=[1, 2], buyer=order.contact)

        with django_assert_max_num_queries(15):
            page = load_page(reviewer, "review", order.pk)

        assert "Nearly the same picture" in page
        assert "The very same file" in page


class TestNews:
    def load_news(self, browser: Client, order: Order, query: str = "") -> dict[str, Any]:
        answer = browser.get(reverse("admin:desk_review_state", args=[order.pk]) + query)
        news: dict[str, Any] = answer.json()
        return news

    def test_tells_of_a_new_proof_of_a_file_that_came_and_of_the_next_picture(
        self, reviewer: Client
    ) -> None:
        raffle = builders.create_raffle()
        order, following = (
            create_waiting_order(raffle, 1),
            create_waiting_order(raffle, 2, minutes=5),
        )
        seen = order.proofs.get().pk
        new = sample_data.receive_proof(order)

        quiet = self.load_news(reviewer, order, f"?seen={seen}&seen={new.pk}&fetching={new.pk}")
        sample_data.keep_proof_file(new)
        news = self.load_news(reviewer, order, f"?seen={seen}&fetching={new.pk}")

        assert (quiet["news"], quiet["fetched"], quiet["waits"]) == ("", False, True)
        assert news["news"] == f"/admin/queue/{order.pk}/?new={new.pk}"
        assert news["fetched"] is True
        shown = following.proofs.get().pk
        assert news["next"] == f"/admin/raffles/paymentproof/{shown}/picture/"

    @pytest.mark.same_everywhere
    def test_tells_who_was_faster_and_who_looks_too(self, reviewer: Client) -> None:
        order = create_waiting_order(builders.create_raffle(), 1)
        sam = Client()
        sam.force_login(sample_data.create_user("sam", *sample_data.REVIEWER_PERMISSIONS))
        assert self.load_news(reviewer, order)["looking"] == ""

        assert self.load_news(sam, order)["looking"] == "rita is looking at this too."
        payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=NOON)

        news = self.load_news(sam, order)
        assert news["waits"] is False
        assert news["decided"].startswith("rita confirmed it")


@pytest.mark.acceptance
@pytest.mark.same_everywhere
class TestThumbnail:
    def get_thumbnail(self, browser: Client, proof: PaymentProof) -> Any:
        return browser.get(reverse("admin:raffles_paymentproof_thumbnail", args=[proof.pk]))

    def test_is_small_upright_and_kept_by_the_browser(self, reviewer: Client) -> None:
        big = BytesIO()
        Image.new("RGB", (1200, 2400)).save(big, "PNG")
        order = create_waiting_order(
            builders.create_raffle(), 1, content=big.getvalue(), content_type="image/png"
        )
        proof = order.proofs.get()

        answer = self.get_thumbnail(reviewer, proof)

        assert answer["Content-Type"] == "image/jpeg"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cache-Control"] == "private, max-age=3600"
        with Image.open(BytesIO(answer.content)) as small:
            assert small.size == (160, 320)

    @pytest.mark.parametrize("content", [b"\xff\xd8 no picture", b"<svg onload=alert(1)>"])
    def test_of_what_is_no_picture_there_is_none(self, reviewer: Client, content: bytes) -> None:
        proof = sample_data.keep_proof_file(
            sample_data.receive_proof(sample_data.place_order()), content=content
        )

        assert self.get_thumbnail(reviewer, proof).status_code == 404
        proof.refresh_from_db()
        assert proof.rendition == RenditionStatus.DAMAGED

    def test_is_made_once_and_again_if_the_storage_was_emptied(self, reviewer: Client) -> None:
        proof = create_waiting_order(builders.create_raffle(), 1, content=RECEIPT).proofs.get()
        first = self.get_thumbnail(reviewer, proof).content
        proof.refresh_from_db()
        assert proof.rendition == RenditionStatus.MADE
        storage, name = storages["renditions"], f"{proof.sha256[:2]}/{proof.sha256}-thumbnail.jpg"

        with storage.open(name, "rb") as stored:
            assert stored.read() == first
        storage.save(name, ContentFile(first[:50]))  # another process is still writing it
        assert self.get_thumbnail(reviewer, proof).content == first
        storage.delete(name)
        assert self.get_thumbnail(reviewer, proof).content == first

    def test_is_not_for_those_who_may_not_see_proofs(self, client: Client) -> None:
        client.force_login(sample_data.create_user("other", "view_raffle"))
        proof = create_waiting_order(builders.create_raffle(), 1).proofs.get()

        assert self.get_thumbnail(client, proof).status_code == 403
