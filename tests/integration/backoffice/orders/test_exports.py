"""Tests of the exports of sales and buyers: content, permissions and no formulas in cells."""

import csv
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from backoffice.orders.exports import cells, view
from backoffice.orders.exports.tables import ExportTable
from shared.core.enums import LedgerKind
from shared.raffles.models import LedgerEntry, Order, Raffle
from shared.raffles.services import sales
from shared.use_cases import order_endings, payments, reversals
from tests import builders
from tests.builders import MINUTE, NOON
from tests.integration.backoffice import sample_data

pytestmark = pytest.mark.django_db


def download_export(client: Client, **choice: Any) -> bytes:
    """Request an export and return the whole file."""
    address = reverse("admin:desk_export")
    answer = client.post(address, {"what": "NUMBERS", "format": "csv", "status": "", **choice})
    assert answer.status_code == 200
    assert "attachment" in answer["Content-Disposition"]
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def parse_csv(content: bytes) -> list[dict[str, str]]:
    """Parse a CSV file as Excel does."""
    text = content.decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text)))


def create_sale(raffle: Raffle, numbers: list[int], **buyer: Any) -> Order:
    order = sample_data.place_order(raffle, numbers=numbers, buyer=builders.create_contact(**buyer))
    payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=NOON + MINUTE)
    order.refresh_from_db()
    return order


class TestExport:
    def test_has_a_row_a_number_in_the_time_of_the_raffle(self, owner: Client) -> None:
        raffle = builders.create_raffle(time_zone="America/Bogota")
        order = create_sale(raffle, [13, 7], profile_name="José Ñandú 🎟️", wa_id="15550107777")
        sample_data.place_order(raffle, numbers=[20])

        content = download_export(owner, status="PAID", raffle=raffle.pk)

        assert content.startswith(b"\xef\xbb\xbf")
        first, second = parse_csv(content)
        assert first == {
            "Number": "007",
            "Raffle": "Summer Raffle",
            "Order": order.code,
            "Status": "Paid",
            "Buyer": "José Ñandú 🎟️",
            "Phone": "'+15550107777",
            "Price": "5.00",
            "Currency": "USD",
            "Ordered at": "2026-11-22T07:00:00-05:00",
            "Paid at": "2026-11-22T07:01:00-05:00",
            "Sold": "over WhatsApp",
        }
        assert second["Number"] == "013"

    def test_has_a_row_an_order_also_for_those_that_ended(self, owner: Client) -> None:
        raffle = builders.create_raffle()
        create_sale(raffle, [1, 2])
        ended = sample_data.place_order(raffle, numbers=[3, 4])
        order_endings.cancel_order(ended.pk, by=builders.build_staff_actor(), now=NOON + MINUTE)
        builders.create_order_row(
            raffle, quantity=3, buyer_name="Walter", buyer_phone="+1 555 0109"
        )

        sold, cancelled, cash = parse_csv(download_export(owner, what="ORDERS"))

        assert (sold["Numbers"], sold["Total"], sold["How many"]) == ("001 002", "10.00", "2")
        assert (cancelled["Numbers"], cancelled["Status"]) == ("003 004", "Cancelled")
        assert (cash["Buyer"], cash["Phone"]) == ("Walter", "'+1 555 0109")
        assert (cash["Numbers"], cash["Sold"]) == ("", "for cash")

    def test_says_what_led_a_buyer_to_the_chat(self, owner: Client) -> None:
        raffle = builders.create_raffle()
        first, *_ = (sample_data.place_order(raffle, numbers=[number]) for number in (1, 2))
        Order.objects.filter(pk=first.pk).update(source_kind="LINK", source_name="poster")

        linked, other = parse_csv(download_export(owner, what="ORDERS"))

        assert (linked["Came by"], linked["Ad id"]) == ("Link: poster", "")
        assert (other["Came by"], other["Ad id"]) == ("", "")

    def test_says_who_confirmed_a_payment_and_when(self, owner: Client) -> None:
        raffle = builders.create_raffle(time_zone="America/Bogota")
        create_sale(raffle, [1])
        sample_data.place_order(raffle, numbers=[2])

        sold, waiting = parse_csv(download_export(owner, what="ORDERS"))

        who, at = "Payment confirmed by", "Payment confirmed at"
        assert (sold[who], sold[at]) == (
            builders.build_staff_actor().label,
            "2026-11-22T07:01:00-05:00",
        )
        assert (waiting[who], waiting[at]) == ("", "")

    @pytest.mark.parametrize("what", ["NUMBERS", "ORDERS", "BUYERS", "MONEY"])
    def test_of_some_days_begins_and_ends_with_days_of_the_raffle(
        self, owner: Client, what: str
    ) -> None:
        raffle = builders.create_raffle(time_zone="Pacific/Kiritimati")  # UTC+14: the 23rd
        create_sale(raffle, [1])
        days = [("2026-11-23", "2026-11-23"), ("2026-11-24", ""), ("", "2026-11-22"), ("", "")]

        found = [
            len(
                parse_csv(
                    download_export(owner, what=what, raffle=raffle.pk, since=since, until=until)
                )
            )
            for since, until in days
        ]

        assert found == [1, 0, 0, 1]
        assert "from 2026-11-23 to 2026-11-23" in LogEntry.objects.earliest("pk").change_message

    @pytest.mark.parametrize(
        ("choice", "words"),
        [
            ({"since": "2026-11-23", "until": "2026-11-22"}, "before the first one"),
            ({"what": "REFUNDS", "since": "2026-11-23"}, "choose the rows of money"),
            ({"since": "23 Nov"}, "Enter a valid date"),
        ],
    )
    def test_refuses_days_that_make_no_sense(
        self, owner: Client, choice: dict[str, str], words: str
    ) -> None:
        form = {"what": "ORDERS", "format": "csv", "status": "", **choice}

        answer = owner.post(reverse("admin:desk_export"), form)

        assert words in answer.content.decode()

    def test_has_a_row_a_buyer_with_totals(self, owner: Client) -> None:
        raffle, ana = builders.create_raffle(), builders.create_contact(profile_name="Ana")
        for number in (1, 2, 3):
            order = sample_data.place_order(raffle, numbers=[number], buyer=ana)
            payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=NOON)
        create_sale(raffle, [4, 5], profile_name="Bo")

        found = {row["Buyer"]: row for row in parse_csv(download_export(owner, what="BUYERS"))}

        assert {name: row["Total"] for name, row in found.items()} == {
            "Ana": "15.00",
            "Bo": "10.00",
        }
        assert (found["Ana"]["Orders"], found["Bo"]["Numbers"]) == ("3", "2")

    def test_has_a_row_of_money_for_each_payment_and_refund(self, owner: Client) -> None:
        raffle = builders.create_raffle(time_zone="America/Bogota")
        order = create_sale(raffle, [1, 2], profile_name="Ana")
        by, confirmation_id = builders.build_staff_actor(), order.events.get(action="PAID").pk
        reversals.refund_order(
            order.pk,
            confirmation_id=confirmation_id,
            note="Back.",
            reference="TR-1",
            by=by,
            now=NOON + 2 * MINUTE,
        )
        create_sale(builders.create_raffle(title="Other"), [1])

        paid, refunded = parse_csv(download_export(owner, what="MONEY", raffle=raffle.pk))

        assert refunded == {
            "Date": "2026-11-22T07:02:00-05:00",
            "Kind": "Refunded",
            "Order": order.code,
            "Raffle": "Summer Raffle",
            "Buyer": "Ana",
            "Amount": "-10.00",
            "Late refund": "",
            "Currency": "USD",
            "Reference": "TR-1",
            "By": "rita",
        }
        assert (paid["Kind"], paid["Amount"], paid["Reference"]) == ("Confirmed", "10.00", "")
        assert paid["Date"] == "2026-11-22T07:01:00-05:00"

    def test_adds_up_to_the_balance_whatever_became_of_the_orders(self, owner: Client) -> None:
        raffle = builders.create_raffle(price="0.10")
        undone, refunded, _ = (create_sale(raffle, [n, n + 1]) for n in (1, 3, 5))
        by = builders.build_staff_actor()
        reversals.undo_confirmation(
            undone.pk,
            confirmation_id=undone.events.get(action="PAID").pk,
            reason="A mistake.",
            by=by,
            now=NOON + 2 * MINUTE,
        )
        reversals.refund_order(
            refunded.pk,
            confirmation_id=refunded.events.get(action="PAID").pk,
            note="Back.",
            by=by,
            now=NOON + 2 * MINUTE,
        )
        late = sample_data.place_order(raffle, numbers=[7])
        LedgerEntry.objects.create(
            raffle=raffle,
            order=late,
            kind=LedgerKind.LATE_REFUNDED,
            amount=late.total,
            currency=late.currency,
            quantity=late.quantity,
            actor_kind=by.kind,
            at=NOON,
        )

        rows = parse_csv(download_export(owner, what="MONEY", status="PAID"))

        money = sales.load_sales_sums(now=NOON, zone="UTC", days=1).overall.money
        amounts = [Decimal(row["Amount"] or 0) for row in rows]
        assert sum(amounts) == money.balance["USD"] == Decimal("0.20")
        assert -sum(amount for amount in amounts if amount < 0) == money.back["USD"]
        assert [row["Late refund"] for row in rows if row["Late refund"]] == ["0.10"]
        assert rows[-1]["By"] == "Staff"

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize("what", ["ORDERS", "MONEY"])
    def test_names_the_sheet_after_its_rows(self, owner: Client, what: str) -> None:
        create_sale(builders.create_raffle(), [1])

        book = openpyxl.load_workbook(BytesIO(download_export(owner, what=what, format="xlsx")))

        assert book.sheetnames == [what.capitalize()]

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    def test_writes_down_who_took_how_many_rows(self, owner: Client, kind: str) -> None:
        raffle = builders.create_raffle()
        create_sale(raffle, [1, 2, 3])

        download_export(owner, raffle=raffle.pk, format=kind)

        entry = LogEntry.objects.get()
        assert entry.user == User.objects.get(username="olga")
        assert entry.object_repr == "Summer Raffle"
        assert entry.change_message.startswith("Exported 3 rows as ")

    @pytest.mark.same_everywhere
    def test_counts_the_rows_of_a_download_that_was_broken_off(self) -> None:
        calls: list[tuple[int, bool]] = []
        rows: Iterator[list[cells.CellValue]] = iter([["007"]] * 10_000)
        lines = view.generate_csv_lines(
            ExportTable(["Number"], rows), done=lambda count, *, whole: calls.append((count, whole))
        )

        for _ in range(3):
            next(lines)
        lines.close()

        assert calls == [(1_000, False)]

    def test_reads_a_thousand_rows_in_a_few_queries(
        self, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        raffle = builders.create_raffle()
        for _ in range(30):
            builders.create_order_row(raffle, contact=builders.create_contact())

        with django_assert_max_num_queries(12):
            assert len(parse_csv(download_export(owner, what="ORDERS"))) == 30
        with django_assert_max_num_queries(12):
            assert owner.get(reverse("admin:desk_export")).status_code == 200

    @pytest.mark.same_everywhere
    def test_is_refused_without_its_permission(self, client: Client) -> None:
        client.force_login(sample_data.create_user("rita", *sample_data.REVIEWER_PERMISSIONS))

        assert client.get(reverse("admin:desk_export")).status_code == 403
        assert client.post(reverse("admin:desk_export"), {}).status_code == 403

    @pytest.mark.same_everywhere
    def test_asks_again_when_something_else_was_sent(self, owner: Client) -> None:
        answer = owner.post(reverse("admin:desk_export"), {"what": "EVERYTHING"})

        assert answer.status_code == 200
        assert b"Please choose from the lists" in answer.content
        assert not LogEntry.objects.exists()


FORMULAE = [
    '=HYPERLINK("http://evil","x")',
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "\u200b=1+1",
    "＝1+1",
    "＠SUM(A1)",
    "a;=1+1",
    "a\n=1+1",
]


@pytest.mark.same_everywhere
class TestFormulae:
    @pytest.mark.parametrize("text", FORMULAE)
    def test_begin_no_cell_of_a_csv_file(self, text: str) -> None:
        cell = str(cells.format_csv_cell(text))

        for separator in ("\n", "\r", ";", "\t"):
            for part in cell.split(separator):
                assert not cells.is_formula_like(part), cell
        assert cell.replace("'", "") == text

    def test_are_texts_in_excel_and_so_are_phones_and_numbers(self, owner: Client) -> None:
        raffle = builders.create_raffle()
        for number, name in enumerate(FORMULAE, start=1):
            create_sale(raffle, [number], profile_name=name)

        book = openpyxl.load_workbook(BytesIO(download_export(owner, format="xlsx")))

        sheet = book.active
        assert sheet is not None
        headings, *found = list(sheet.iter_rows())
        column = {str(cell.value): place for place, cell in enumerate(headings)}
        assert len(found) == len(FORMULAE)
        for row, name in zip(found, FORMULAE, strict=True):
            buyer, phone = row[column["Buyer"]], row[column["Phone"]]
            assert (buyer.data_type, str(buyer.value).split()) == ("s", name.split())
            assert (phone.data_type, str(phone.value)[0]) == ("s", "+")
            assert row[column["Number"]].data_type == "s"
            assert row[column["Price"]].data_type == "n"

    def test_leave_innocent_texts_alone(self) -> None:
        for text in ("Ana", "O'Neil & Sons", "R-7K3F9", "007", "a=b", "1 + 1"):
            assert cells.format_csv_cell(text) == text


@pytest.mark.same_everywhere
def test_the_list_of_orders_leads_to_the_export(owner: Client, client: Client) -> None:
    page = owner.get(reverse("admin:raffles_order_changelist")).content.decode()
    assert reverse("admin:desk_export") in page

    other = Client()
    other.force_login(sample_data.create_user("rita", *sample_data.REVIEWER_PERMISSIONS))
    page = other.get(reverse("admin:raffles_order_changelist")).content.decode()
    assert reverse("admin:desk_export") not in page


def test_sums_are_exact_to_the_cent(owner: Client) -> None:
    raffle, ana = builders.create_raffle(price="0.10"), builders.create_contact()
    for minute in range(7):
        at = NOON + timedelta(minutes=minute)
        builders.create_order_row(raffle, contact=ana, created_at=at)

    (row,) = parse_csv(download_export(owner, what="BUYERS"))

    assert row["Total"] == "0.70"
