"""A raffle's link, QR code and poster, and where its buyers came from."""

from decimal import Decimal
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
import segno
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags
from PIL import Image
from pytest_django import DjangoAssertNumQueries

from backoffice.raffles.sharing import share_links, share_page
from shared.conversation import raffle_links
from shared.core.enums import OrderSourceKind, OrderStatus
from shared.raffles.models import Order, Raffle
from shared.raffles.order_sources import OrderSource
from shared.raffles.services import source_sales
from shared.raffles.services.source_sales import SourceSales
from shared.whatsapp.models import BusinessNumber
from tests import builders
from tests.integration.backoffice import sample_data

pytestmark = pytest.mark.django_db


def create_number(phone_number_id: str = builders.PHONE_NUMBER_ID, **fields: Any) -> BusinessNumber:
    usual = {"display_phone_number": "+1 555-010-0000"}
    return BusinessNumber.objects.create(phone_number_id=phone_number_id, **(usual | fields))


def load(browser: Client, raffle: Raffle, name: str = "desk_share", **query: str) -> str:
    answer = browser.get(reverse(f"admin:{name}", args=[raffle.pk]), query)
    assert answer.status_code == 200
    return answer.content.decode()


def extract_text(page: str) -> str:
    """Return a page's text on one line, without markup."""
    return " ".join(strip_tags(page.replace("<", " <")).split())


def write_link(raffle: Raffle, mark: str, *, phone: str = "15550100000") -> str:
    text = f"Hi! I would like tickets for *{raffle.title}* {mark}"
    return f"https://wa.me/{phone}?text={quote(text, safe='')}"


@pytest.mark.same_everywhere
class TestLink:
    def test_is_shown_with_its_text_and_leads_from_the_raffles_page(self, owner: Client) -> None:
        create_number()
        raffle = builders.create_raffle()

        page = load(owner, raffle)

        assert write_link(raffle, f"(raffle {raffle.pk})") in page
        assert "+1 555-010-0000" in page
        change = owner.get(reverse("admin:raffles_raffle_change", args=[raffle.pk]))
        assert reverse("admin:desk_share", args=[raffle.pk]) in change.content.decode()

    def test_has_the_sellers_word_in_it_as_have_the_files(self, owner: Client) -> None:
        create_number()
        raffle = builders.create_raffle()

        page = load(owner, raffle, source="Club Poster")

        assert write_link(raffle, f"(raffle {raffle.pk}, club-poster)") in page
        for name in ("desk_share_png", "desk_share_svg", "desk_share_poster"):
            assert f"{reverse(f'admin:{name}', args=[raffle.pk])}?source=club-poster" in page

    def test_refuses_a_word_of_which_nothing_is_left(self, owner: Client) -> None:
        create_number()
        raffle = builders.create_raffle()

        page = load(owner, raffle, source="— …")

        assert "Use letters from a to z, or digits." in page
        assert write_link(raffle, f"(raffle {raffle.pk})") in page

    def test_is_of_the_raffles_number_or_of_the_chosen_one(self, owner: Client) -> None:
        create_number(display_phone_number="15550100001")
        create_number("2", display_phone_number="15550100002")
        create_number("333", display_phone_number="15550100003")  # not ours
        everywhere = builders.create_raffle()
        second = builders.create_raffle(phone_number_id="2")

        assert "wa.me/15550100002?" in load(owner, second)
        assert "wa.me/15550100002?" in load(owner, second, number=builders.PHONE_NUMBER_ID)
        assert "wa.me/15550100001?" in load(owner, everywhere)
        page = load(owner, everywhere, number="2")
        assert "wa.me/15550100002?" in page
        assert "qr.png?number=2" in page
        assert "wa.me/15550100001?" in load(owner, everywhere, number="333", source="poster")

    @pytest.mark.parametrize("display", ["", "unknown", "+1 555"])
    def test_is_not_shown_without_a_phone_number(self, owner: Client, display: str) -> None:
        create_number(display_phone_number=display)
        raffle = builders.create_raffle()

        page = load(owner, raffle)

        assert "There is no link yet" in page
        assert "wa.me" not in page
        for name in ("desk_share_png", "desk_share_svg", "desk_share_poster"):
            assert owner.get(reverse(f"admin:{name}", args=[raffle.pk])).status_code == 404

    def test_says_what_buyers_read_while_nothing_is_on_sale(self, owner: Client) -> None:
        create_number()
        raffle = builders.create_raffle(status="PAUSED")

        assert "reads that nothing can be bought: it is paused." in load(owner, raffle)

    @pytest.mark.parametrize(
        "title", ["<script>alert(1)</script>", "a & b (raffle 5)", "ñ€😀" * 20]
    )
    def test_survives_any_title(self, owner: Client, title: str) -> None:
        create_number()
        raffle = builders.create_raffle(title=title)

        page, poster = load(owner, raffle), load(owner, raffle, "desk_share_poster")

        link = share_links.build_share_link(
            raffle, share_links.list_business_numbers(raffle), number_id="", source=""
        )
        assert link.url in page
        assert raffle_links.parse_raffle_link(link.text) is not None
        assert "<script>alert" not in page + poster

    def test_pages_are_not_for_those_who_may_not_see_raffles(self, client: Client) -> None:
        create_number()
        raffle = builders.create_raffle()
        client.force_login(sample_data.create_user("nobody"))

        for name in ("desk_share", "desk_share_png", "desk_share_svg", "desk_share_poster"):
            assert client.get(reverse(f"admin:{name}", args=[raffle.pk])).status_code == 403


@pytest.mark.same_everywhere
class TestQrCode:
    def test_png_has_the_modules_of_the_link(self, owner: Client) -> None:
        create_number()
        raffle = builders.create_raffle()

        answer = owner.get(reverse("admin:desk_share_png", args=[raffle.pk]), {"source": "poster"})

        mark = f"(raffle {raffle.pk}, poster)"
        expected = segno.make_qr(write_link(raffle, mark), error="m")
        picture = Image.open(BytesIO(answer.content)).convert("1")
        size = len(expected.matrix)
        assert picture.size == ((size + 8) * 20, (size + 8) * 20)
        read = [
            [picture.getpixel(((4 + x) * 20 + 10, (4 + y) * 20 + 10)) == 0 for x in range(size)]
            for y in range(size)
        ]
        assert read == [[bool(module) for module in row] for row in expected.matrix]
        assert answer["Content-Disposition"] == f'inline; filename="raffle-{raffle.pk}-poster.png"'

    def test_svg_runs_nothing(self, owner: Client) -> None:
        create_number()
        raffle = builders.create_raffle()

        answer = owner.get(reverse("admin:desk_share_svg", args=[raffle.pk]))

        assert answer["Content-Type"] == "image/svg+xml"
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer.content.startswith(b'<svg xmlns="http://www.w3.org/2000/svg"')


@pytest.mark.same_everywhere
class TestPoster:
    def test_has_what_a_passer_by_wants_to_know(self, owner: Client) -> None:
        create_number()
        raffle = builders.create_raffle(
            adults_only=True, promoter="Rowing Club", permit_number="X-17", time_zone="Etc/GMT+5"
        )

        text = extract_text(load(owner, raffle, "desk_share_poster", source="poster"))

        assert "Summer Raffle Win a motorbike Ticket $5.00" in text
        assert "Draw Sat 12 Dec 2037, 15:00 (Etc/GMT+5) Only for 18+" in text
        assert f"Or write (raffle {raffle.pk}, poster) to +1 555-010-0000" in text
        assert "Questions? Ana, +1 555 0100 Rowing Club · Permit X-17" in text

    @pytest.mark.parametrize(
        ("display", "shown"),
        [("573001234567", "+57 300 1234567"), ("15550100000", "+1 555-010-0000")],
    )
    def test_groups_the_phone_number(self, owner: Client, display: str, shown: str) -> None:
        create_number(display_phone_number=display)

        text = extract_text(load(owner, builders.create_raffle(), "desk_share_poster"))

        assert f"to {shown}" in text

    def test_leaves_out_what_is_not_known(self, owner: Client) -> None:
        create_number()
        raffle = builders.create_raffle(price=Decimal(0), draw_at=None)

        text = extract_text(load(owner, raffle, "desk_share_poster"))

        assert "Ticket Free Scan to" in text


class TestSources:
    def test_sums_the_placed_and_the_paid_orders_of_each(
        self, owner: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        raffle = builders.create_raffle()
        paid: dict[str, Any] = {"status": OrderStatus.PAID, "placed_at": builders.NOON}
        poster: dict[str, Any] = {"source_kind": "LINK", "source_name": "poster"}
        ad: dict[str, Any] = {"source_kind": "AD", "source_name": "Chat", "source_id": "12"}
        create = builders.create_order_row
        create(raffle, quantity=2, **paid, **poster)
        create(raffle, quantity=1, placed_at=builders.NOON, status=OrderStatus.EXPIRED, **poster)
        create(raffle, quantity=1, **poster)
        create(raffle, quantity=3, **paid, **ad)
        create(raffle, quantity=1, **paid)
        create(builders.create_raffle(title="Winter Raffle"), quantity=1, **paid, **poster)

        with django_assert_num_queries(1):
            sales = source_sales.load_sales_by_source(raffle)

        chat = OrderSource(OrderSourceKind.AD, "Chat", "12")
        assert sales == [
            SourceSales(chat, orders=1, paid_orders=1, paid=Decimal("15.00")),
            SourceSales(OrderSource(OrderSourceKind.LINK, "poster"), 2, 1, Decimal("10.00")),
            SourceSales(None, 1, 1, Decimal("5.00")),
        ]
        page = extract_text(load(owner, raffle))
        assert "Ad: Chat 1 1 $15.00 Link: poster 2 1 $10.00 No link or ad 1 1 $5.00" in page

    @pytest.mark.same_everywhere
    def test_many_words_of_strangers_are_one_row(self, owner: Client) -> None:
        raffle = builders.create_raffle()
        count = share_page.MAX_SOURCES_SHOWN + 5
        for place in range(count):
            builders.create_order_row(
                raffle, placed_at=builders.NOON, source_kind="LINK", source_name=f"word{place:02}"
            )

        page = load(owner, raffle)

        assert "word29" in page
        assert "word30" not in page
        assert "5 others" in page

    @pytest.mark.same_everywhere
    def test_are_for_those_who_may_see_orders(self, client: Client) -> None:
        raffle = builders.create_raffle()
        client.force_login(sample_data.create_user("rita", "view_raffle"))

        assert "Where buyers came from" not in load(client, raffle)
        assert Order.objects.count() == 0
