"""Tests of the contrast between text and background colours."""

import pytest

from backoffice.ui import colours
from backoffice.ui.colours import BLACK, MIN_TEXT_CONTRAST, WHITE

BRANDS = ["#0f766e", "#ffd400", "#ff0000", "#767676", "#777777", "#12245a", "#ffffff", "#000000"]


class TestContrast:
    @pytest.mark.parametrize(
        ("one", "other", "ratio"),
        [(BLACK, WHITE, 21.0), (WHITE, WHITE, 1.0), ((118, 118, 118), WHITE, 4.54)],
    )
    def test_is_what_wcag_says(
        self, one: colours.Colour, other: colours.Colour, ratio: float
    ) -> None:
        assert colours.compute_contrast(one, other) == pytest.approx(ratio, abs=0.01)

    @pytest.mark.parametrize("brand", BRANDS)
    def test_of_text_on_a_brand_is_enough_whatever_the_brand(self, brand: str) -> None:
        background = colours.parse_colour(brand)

        assert (
            colours.compute_contrast(colours.choose_text_colour(background), background)
            >= MIN_TEXT_CONTRAST
        )

    @pytest.mark.parametrize("brand", BRANDS)
    @pytest.mark.parametrize("page", [(248, 249, 250), (52, 58, 64)])
    def test_of_a_link_is_enough_on_light_and_on_dark_pages(
        self, brand: str, page: colours.Colour
    ) -> None:
        assert (
            colours.compute_contrast(
                colours.make_readable(colours.parse_colour(brand), on=page), page
            )
            >= MIN_TEXT_CONTRAST
        )

    def test_leaves_a_colour_alone_that_is_readable_already(self) -> None:
        assert (
            colours.format_colour(colours.make_readable(colours.parse_colour("#0f766e"), on=WHITE))
            == "#0f766e"
        )
