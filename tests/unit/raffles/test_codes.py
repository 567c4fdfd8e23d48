"""Tests of order codes: a permutation of ids that people can read aloud."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.raffles import codes

KEY = b"a key of the tests"
FIVE = 30**5 - 8**5
"""Number of codes with five characters, without those that consist of digits only."""

ids = st.integers(min_value=0, max_value=FIVE + 30**6 - 8**6 - 1)
tweaks = st.integers(min_value=0, max_value=5)


class TestCodeFor:
    def test_gives_each_of_many_orders_its_own_code(self) -> None:
        issued = {codes.build_order_code(order_id, key=KEY) for order_id in range(20_000)}

        assert len(issued) == 20_000

    @given(st.sets(ids, min_size=2, max_size=2), tweaks)
    def test_never_gives_two_orders_the_same(self, pair: set[int], tweak: int) -> None:
        first, second = pair

        assert codes.build_order_code(first, key=KEY, tweak=tweak) != codes.build_order_code(
            second, key=KEY, tweak=tweak
        )

    @given(st.integers(min_value=0, max_value=FIVE - 1))
    def test_is_made_of_five_characters_without_look_alikes(self, order_id: int) -> None:
        code = codes.build_order_code(order_id, key=KEY)

        assert code.startswith("R-")
        assert len(code) == 7
        assert not set(code[2:]) & set("01OILU")

    @pytest.mark.parametrize(("order_id", "length"), [(0, 5), (FIVE - 1, 5), (FIVE, 6), (30**5, 6)])
    def test_grows_to_six_characters_when_those_of_five_are_used_up(
        self, order_id: int, length: int
    ) -> None:
        assert len(codes.build_order_code(order_id, key=KEY)) == 2 + length

    @given(ids)
    def test_has_a_letter_so_that_no_id_or_ticket_number_looks_like_it(self, order_id: int) -> None:
        assert not codes.build_order_code(order_id, key=KEY)[2:].isdigit()

    def test_does_not_tell_how_many_orders_there_are(self) -> None:
        neighbours = [codes.build_order_code(order_id, key=KEY) for order_id in (1, 2, 3)]

        assert len({code[2:4] for code in neighbours}) == 3

    def test_differs_with_the_key_and_with_the_tweak(self) -> None:
        variants = {
            codes.build_order_code(1, key=KEY),
            codes.build_order_code(1, key=b"another key"),
            codes.build_order_code(1, key=KEY, tweak=1),
        }

        assert len(variants) == 3

    @pytest.mark.parametrize("order_id", [-1, 30**6 + 30**5])
    def test_refuses_an_id_that_has_no_code(self, order_id: int) -> None:
        with pytest.raises(ValueError, match="no order code"):
            codes.build_order_code(order_id, key=KEY)


class TestEveryWord:
    def test_is_spelt_by_exactly_one_index(self) -> None:
        two = [codes._spell_code(index, length=2) for index in range(30**2 - 8**2)]

        assert len(set(two)) == len(two)
        assert not any(word.isdigit() for word in two)

    def test_is_reached_by_the_permutation(self) -> None:
        reached = {codes._permute_index(i, size=836, key=KEY, seed=b"0.2") for i in range(836)}

        assert reached == set(range(836))


class TestNormalised:
    @given(ids, tweaks)
    def test_knows_every_code_that_was_issued(self, order_id: int, tweak: int) -> None:
        code = codes.build_order_code(order_id, key=KEY, tweak=tweak)

        assert codes.normalise_code(code) == code
        assert codes.normalise_code(code.lower().replace("-", " ")) == code

    @pytest.mark.parametrize(
        "text",
        ["R-7K3F9", "r-7k3f9", "r 7k3f9", "7k3f9", "R7K3F9", " r–7k3f9 ", "R - 7K3 F9", "#R-7K3F9"],
    )
    def test_reads_a_code_however_it_is_written(self, text: str) -> None:
        assert codes.normalise_code(text) == "R-7K3F9"

    @pytest.mark.parametrize(
        ("text", "code"),
        [("R-R7K3F", "R-R7K3F"), ("R7K3F", "R-R7K3F"), ("R-R7K3F9", "R-R7K3F9")],
    )
    def test_tells_the_prefix_from_a_code_that_begins_with_r(self, text: str, code: str) -> None:
        assert codes.normalise_code(text) == code

    @pytest.mark.parametrize(
        "text", ["", "R-", "hello", "23456", "R-7K3F", "R-7K3F0", "7K3F9 please"]
    )
    def test_says_none_where_it_cannot_be_a_code(self, text: str) -> None:
        assert codes.normalise_code(text) is None

    @given(st.text(max_size=30))
    def test_never_fails(self, text: str) -> None:
        code = codes.normalise_code(text)

        assert code is None or codes.normalise_code(code) == code


@pytest.mark.parametrize("piece", [" ", "-", "R", "7", "ﷺ", "\u0323\u0301"])
def test_a_text_much_longer_than_a_code_is_none(piece: str) -> None:
    assert codes.normalise_code("R-7K3F9" + piece * 65_536 + "2") is None
