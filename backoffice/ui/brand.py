"""The seller's face: name, logo and colour, from the configuration to a style sheet."""

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

_PAGE: Final = (248, 249, 250)
"""The light page's grey; a link that is read on it is read on white."""
_DARK_CARD: Final = (52, 58, 64)
"""The lightest grey a dark page has behind text."""
_NIGHT: Final = (15, 20, 28)
"""What the menu's background leans to."""
_DAY: Final = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Brand:
    """What the pages call themselves and where their logo and colours are."""

    name: str
    logo: str
    style: str


def current() -> Brand:
    """Give the installation's brand."""
    logo = config.get_settings().brand_logo_file
    return Brand(
        name=config.get_settings().brand_name,
        logo=_address("brand_logo") if logo else static("backoffice/ticket.png"),
        style=_address("brand_style"),
    )


def _etag(_request: HttpRequest) -> str:
    return f'"{_version()}"'


@require_safe
@condition(etag_func=_etag)
@cache_control(public=True, max_age=_DAY)
def style(_request: HttpRequest) -> HttpResponse:
    """Answer the style sheet that carries the seller's colour."""
    return HttpResponse(_sheet(), content_type="text/css; charset=utf-8")


@require_safe
@condition(etag_func=_etag)
@cache_control(public=True, max_age=_DAY)
def logo(_request: HttpRequest) -> HttpResponseBase:
    """Answer the seller's picture, which may be shown and can run nothing."""
    path = config.get_settings().brand_logo_file
    return HttpResponse(status=404) if path is None or not path.is_file() else picture(path)


def picture(path: Path) -> FileResponse:
    """Answer a picture file; its name has been checked to be one of a picture."""
    answer = FileResponse(path.open("rb"), content_type=LOGO_MEDIA_TYPES[path.suffix.lower()])
    # An SVG opened as a page of its own is a document: it must not run a script under our name.
    answer["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
    )
    return answer


def _address(name: str) -> str:
    return f"{reverse(f'admin:{name}')}?v={_version()}"


@cache
def _version() -> str:
    path = config.get_settings().brand_logo_file
    content = path.read_bytes() if path is not None and path.is_file() else b""
    return hashlib.sha256(_sheet().encode() + content).hexdigest()[:12]


@cache
def _sheet() -> str:
    return sheet(config.get_settings().brand_colour)


def sheet(colour: str) -> str:
    """Write the style sheet of a colour, such as "#0f766e"."""
    accent = colours.read(colour)
    on_accent = colours.text_on(accent)
    hover = colours.mixed(accent, colours.BLACK, share=0.12)
    if on_accent == colours.BLACK:  # a bright colour gets brighter, so that its text stays readable
        hover = colours.mixed(accent, colours.WHITE, share=0.2)
    menu = colours.mixed(accent, _NIGHT, share=0.85)
    return _SHEET.format(
        accent=colours.written(accent),
        accent_rgb="{}, {}, {}".format(*accent),
        on_accent=colours.written(on_accent),
        hover=colours.written(hover),
        menu=colours.written(menu),
        dusk=colours.written(colours.mixed(accent, _NIGHT, share=0.6)),
        menu_line=colours.written(colours.mixed(menu, colours.WHITE, share=0.12)),
        light=colours.written(colours.readable(accent, on=_PAGE)),
        light_rgb="{}, {}, {}".format(*colours.readable(accent, on=_PAGE)),
        dark=colours.written(colours.readable(accent, on=_DARK_CARD)),
        dark_rgb="{}, {}, {}".format(*colours.readable(accent, on=_DARK_CARD)),
    )


_SHEET: Final = (Path(__file__).parents[1] / "templates" / "admin" / "brand.css").read_text()
