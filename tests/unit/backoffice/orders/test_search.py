"""Tests of how the search of orders interprets a query."""

import pytest

from backoffice.orders import search
from backoffice.orders.search import OrderSearchTerm


class TestRead:
    @pytest.mark.parametrize("typed", ["R-7K3F9", "r 7k3f9", " 7K3f9 ", "r7k3f9", "Ｒ－7k3f٩"])
    def test_takes_a_code_in_any_spelling(self, typed: str) -> None:
        assert search.parse_search_term(typed).code == "R-7K3F9"

    @pytest.mark.parametrize("typed", ["+1 (555) 010-7777", "0049 171 / 234.5678", "010-7777"])
    def test_takes_a_phone_as_a_buyer(self, typed: str) -> None:
        assert search.parse_search_term(typed) == OrderSearchTerm(buyer=typed)

    @pytest.mark.parametrize("typed", ["#07", "#0007", "no. 7", "Number 007", "#٠٧"])
    def test_takes_a_marked_number_as_a_ticket_number_alone(self, typed: str) -> None:
        assert search.parse_search_term(typed) == OrderSearchTerm(number=7)

    def test_takes_the_raffle_that_a_number_is_in(self) -> None:
        assert search.parse_search_term("07 in  Summer raffle") == OrderSearchTerm(
            number=7, raffle="Summer raffle"
        )

    def test_takes_bare_digits_as_a_number_and_if_there_are_four_as_a_buyer_too(self) -> None:
        assert search.parse_search_term("07") == OrderSearchTerm(number=7)
        assert search.parse_search_term("7777") == OrderSearchTerm(number=7777, buyer="7777")

    def test_takes_everything_else_as_a_buyer(self) -> None:
        assert search.parse_search_term("ana  maría") == OrderSearchTerm(buyer="ana maría")
        assert search.parse_search_term("Teresa") == OrderSearchTerm(
            code="R-TERESA", buyer="Teresa"
        )

    @pytest.mark.parametrize("piece", ["1", "ana ", "(0) ", "#1 in ", "ﷺ", "\u0323\u0301"])
    def test_takes_a_term_that_is_too_long_as_nothing(self, piece: str) -> None:
        assert search.parse_search_term(piece * 10_000) == OrderSearchTerm()
