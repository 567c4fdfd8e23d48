"""Colours with readable contrast, as WCAG 2.2 defines it."""

from typing import Final

type Colour = tuple[int, int, int]
"""Red, green and blue, each 0 to 255."""

MIN_TEXT_CONTRAST: Final = 4.5
"""The minimum contrast of text and its background: WCAG 2.2, success criterion 1.4.3."""

WHITE: Final = (255, 255, 255)
BLACK: Final = (0, 0, 0)
_SHADE_STEPS: Final = 50


def parse_colour(text: str) -> Colour:
    """Return the colour of a CSS notation such as "#0f766e"."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def format_colour(colour: Colour) -> str:
    """Return the CSS notation of a colour, e.g. "#0f766e"."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def compute_contrast(one: Colour, other: Colour) -> float:
    """Return the contrast of two colours: 1 for equal ones, 21 for black and white."""
    bright, dark = sorted((_compute_luminance(one), _compute_luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def mix_colours(colour: Colour, other: Colour, *, share: float) -> Colour:
    """Return a mix of two colours; `share` is the share of `other`, 0 to 1."""
    red, green, blue = (
        round(one + (two - one) * share) for one, two in zip(colour, other, strict=True)
    )
    return red, green, blue


def choose_text_colour(background: Colour) -> Colour:
    """Return white or black, whichever is readable on a background."""
    return WHITE if compute_contrast(WHITE, background) >= MIN_TEXT_CONTRAST else BLACK


def make_readable(colour: Colour, *, on: Colour) -> Colour:
    """Return the nearest darker or lighter shade of a colour that is readable on a background."""
    towards = BLACK if compute_contrast(BLACK, on) > compute_contrast(WHITE, on) else WHITE
    shades = (
        mix_colours(colour, towards, share=step / _SHADE_STEPS) for step in range(_SHADE_STEPS + 1)
    )
    return next(shade for shade in shades if compute_contrast(shade, on) >= MIN_TEXT_CONTRAST)


def _compute_luminance(colour: Colour) -> float:
    red, green, blue = (_linearise_channel(part / 255) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linearise_channel(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004
