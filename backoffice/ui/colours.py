"""Colours that can be read on each other, by WCAG 2.2's contrast."""

from typing import Final

type Colour = tuple[int, int, int]
"""Red, green and blue, each 0 to 255."""

READABLE: Final = 4.5
"""The contrast that WCAG asks of text: success criterion 1.4.3."""

WHITE: Final = (255, 255, 255)
BLACK: Final = (0, 0, 0)
_STEPS: Final = 50


def read(written: str) -> Colour:
    """Read "#0f766e"."""
    return int(written[1:3], 16), int(written[3:5], 16), int(written[5:7], 16)


def written(colour: Colour) -> str:
    """Write a colour as style sheets do: "#0f766e"."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def contrast(one: Colour, other: Colour) -> float:
    """Compare two colours: 1 for the same, 21 for black and white."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def mixed(colour: Colour, other: Colour, *, share: float) -> Colour:
    """Mix two colours; `share` is the part of the other, 0 to 1."""
    red, green, blue = (
        round(one + (two - one) * share) for one, two in zip(colour, other, strict=True)
    )
    return red, green, blue


def text_on(background: Colour) -> Colour:
    """Choose white or black for text; one of the two is always readable."""
    return WHITE if contrast(WHITE, background) >= READABLE else BLACK


def readable(colour: Colour, *, on: Colour) -> Colour:
    """Darken or lighten a colour just as far as it must be to be read on a background."""
    towards = BLACK if contrast(BLACK, on) > contrast(WHITE, on) else WHITE
    shades = (mixed(colour, towards, share=step / _STEPS) for step in range(_STEPS + 1))
    return next(shade for shade in shades if contrast(shade, on) >= READABLE)


def _luminance(colour: Colour) -> float:
    red, green, blue = (_linear(part / 255) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004
