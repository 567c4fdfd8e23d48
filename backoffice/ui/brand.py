"""The seller's brand: name, logo and colour, and the style sheet built from them."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe

from backoffice.ui import colours
from shared.core import config
from shared.core.config import LOGO_MEDIA_TYPES

_LIGHT_PAGE_GREY: Final = (248, 249, 250)
"""Background of a light page. A link that is readable on it is readable on white, too."""
_DARK_CARD_GREY: Final = (52, 58, 64)
"""The lightest background behind text on a dark page."""
_MENU_TINT: Final = (15, 20, 28)
"""The colour that is mixed into the background of the menu."""
_SECONDS_PER_DAY: Final = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Brand:
    """The name shown on all pages, and the addresses of the logo and the style sheet."""

    name: str
    logo: str
    style: str


def get_brand() -> Brand:
    """Return the brand of this installation."""
    logo = config.get_settings().brand_logo_file
    return Brand(
        name=config.get_settings().brand_name,
        logo=_build_url("brand_logo") if logo else static("backoffice/ticket.png"),
        style=_build_url("brand_style"),
    )


def _compute_etag(_request: HttpRequest) -> str:
    return f'"{_compute_version()}"'


@require_safe
@condition(etag_func=_compute_etag)
@cache_control(public=True, max_age=_SECONDS_PER_DAY)
def brand_style_view(_request: HttpRequest) -> HttpResponse:
    """Return the style sheet with the seller's colour."""
    return HttpResponse(_build_configured_style_sheet(), content_type="text/css; charset=utf-8")


@require_safe
@condition(etag_func=_compute_etag)
@cache_control(public=True, max_age=_SECONDS_PER_DAY)
def brand_logo_view(_request: HttpRequest) -> HttpResponseBase:
    """Return the seller's logo, with headers that keep it from running scripts."""
    path = config.get_settings().brand_logo_file
    return (
        HttpResponse(status=404)
        if path is None or not path.is_file()
        else build_picture_response(path)
    )


def build_picture_response(path: Path) -> FileResponse:
    """Return a response with a picture file.

    Args:
        path: A file whose suffix is a key of `LOGO_MEDIA_TYPES`.

    """
    response = FileResponse(path.open("rb"), content_type=LOGO_MEDIA_TYPES[path.suffix.lower()])
    # An SVG opened as a page of its own is a document: it must not run scripts in our origin.
    response["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
    )
    return response


def _build_url(name: str) -> str:
    return f"{reverse(f'admin:{name}')}?v={_compute_version()}"


@cache
def _compute_version() -> str:
    path = config.get_settings().brand_logo_file
    content = path.read_bytes() if path is not None and path.is_file() else b""
    return hashlib.sha256(_build_configured_style_sheet().encode() + content).hexdigest()[:12]


@cache
def _build_configured_style_sheet() -> str:
    return build_style_sheet(config.get_settings().brand_colour)


def build_style_sheet(colour: str) -> str:
    """Return the style sheet for a colour, e.g. "#0f766e"."""
    accent = colours.parse_colour(colour)
    on_accent = colours.choose_text_colour(accent)
    hover = colours.mix_colours(accent, colours.BLACK, share=0.12)
    if (
        on_accent == colours.BLACK
    ):  # a bright colour gets brighter, so that the black text stays readable
        hover = colours.mix_colours(accent, colours.WHITE, share=0.2)
    menu = colours.mix_colours(accent, _MENU_TINT, share=0.85)
    return _STYLE_SHEET_TEMPLATE.format(
        accent=colours.format_colour(accent),
        accent_rgb="{}, {}, {}".format(*accent),
        on_accent=colours.format_colour(on_accent),
        hover=colours.format_colour(hover),
        menu=colours.format_colour(menu),
        dusk=colours.format_colour(colours.mix_colours(accent, _MENU_TINT, share=0.6)),
        menu_line=colours.format_colour(colours.mix_colours(menu, colours.WHITE, share=0.12)),
        light=colours.format_colour(colours.make_readable(accent, on=_LIGHT_PAGE_GREY)),
        light_rgb="{}, {}, {}".format(*colours.make_readable(accent, on=_LIGHT_PAGE_GREY)),
        dark=colours.format_colour(colours.make_readable(accent, on=_DARK_CARD_GREY)),
        dark_rgb="{}, {}, {}".format(*colours.make_readable(accent, on=_DARK_CARD_GREY)),
    )


_STYLE_SHEET_TEMPLATE: Final = (
    Path(__file__).parents[1] / "templates" / "admin" / "brand.css"
).read_text()
