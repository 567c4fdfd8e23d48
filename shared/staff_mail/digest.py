"""The words of an e-mail to staff, as text and as HTML."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.html import format_html, format_html_join

from shared.staff_mail.situation import DueDraw, OpenAlarm, Situation, WaitingProofs

MAX_LINES: Final = 10
"""Raffles or alarms that one e-mail names."""

QUEUE_PATH: Final = "/admin/queue/"
RAFFLES_PATH: Final = "/admin/raffles/raffle/"
ALARMS_PATH: Final = "/admin/whatsapp/alarm/?open=yes"
SWITCH_PATH: Final = "/admin/security/"


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, lines below it, and the address of the page to open."""

    heading: str
    lines: tuple[str, ...]
    link: str


@dataclass(frozen=True, slots=True)
class Digest:
    """An e-mail to one person, without the address."""

    subject: str
    text: str
    html: str


def build_digest(situation: Situation, *, brand: str, public_url: str) -> Digest:
    """Return the e-mail about a situation that is not quiet.

    Args:
        situation: what the person is told.
        brand: the seller's name.
        public_url: the address of the back office, without a trailing slash.

    """
    sections = tuple(_build_sections(situation, public_url=public_url))
    switch = f"{public_url}{SWITCH_PATH}"
    return Digest(
        subject=_join_words(f"{brand}: " + "; ".join(section.heading for section in sections)),
        text=_render_text(sections, switch=switch),
        html=_render_html(sections, switch=switch),
    )


def _build_sections(situation: Situation, *, public_url: str) -> Iterator[Section]:
    if situation.proofs:
        yield _build_proofs_section(situation.proofs, public_url=public_url)
    if situation.draws:
        yield _build_draws_section(situation.draws, public_url=public_url)
    if situation.alarms:
        yield _build_alarms_section(situation.alarms, public_url=public_url)


def _build_proofs_section(proofs: WaitingProofs, *, public_url: str) -> Section:
    since = _format_time(proofs.oldest, time_zone=proofs.time_zone)
    waits = (
        f"a proof waits since {since}"
        if proofs.count == 1
        else f"{proofs.count} proofs wait, the oldest since {since}"
    )
    lines = [f"{_join_words(title)}: {count}" for title, count in proofs.by_raffle]
    return Section(waits, _shorten(lines), public_url + QUEUE_PATH)


def _build_draws_section(draws: tuple[DueDraw, ...], *, public_url: str) -> Section:
    one = draws[0]
    if len(draws) == 1:
        page = f"{public_url}{RAFFLES_PATH}{one.raffle_id}/change/"
        return Section(f"draw due: {_join_words(one.title)}", (_describe_draw(one),), page)
    lines = [f"{_join_words(draw.title)}: {_describe_draw(draw)}" for draw in draws]
    return Section(f"{len(draws)} draws are due", _shorten(lines), public_url + RAFFLES_PATH)


def _describe_draw(draw: DueDraw) -> str:
    when = (
        f"the draw was to be on {_format_time(draw.draw_at, time_zone=draw.time_zone)}"
        if draw.draw_at
        else "all its numbers are sold"
    )
    orders = "1 order" if draw.reviews == 1 else f"{draw.reviews} orders"
    return f"{when}; {orders} to review" if draw.reviews else when


def _build_alarms_section(alarms: tuple[OpenAlarm, ...], *, public_url: str) -> Section:
    if len(alarms) == 1:
        return Section(f"alarm: {_join_words(alarms[0].title)}", (), public_url + ALARMS_PATH)
    lines = [_join_words(alarm.title) for alarm in alarms]
    return Section(f"{len(alarms)} alarms", _shorten(lines), public_url + ALARMS_PATH)


def _shorten(lines: list[str]) -> tuple[str, ...]:
    more = len(lines) - MAX_LINES
    return (*lines[:MAX_LINES], *([f"and {more} more"] if more > 0 else ()))


def _join_words(text: str) -> str:
    """Return a text in one line: a line break in a subject would be a header of its own."""
    return " ".join(text.split())


def _format_time(at: datetime, *, time_zone: str) -> str:
    local = at.astimezone(ZoneInfo(time_zone))
    return f"{local.day} {local:%b %Y, %H:%M} ({time_zone.replace('_', ' ')})"


_REASON: Final = "You get this because you may decide about it. Switch it off under Your account:"


def _render_text(sections: tuple[Section, ...], *, switch: str) -> str:
    parts = [
        "\n".join(
            [
                section.heading[0].upper() + section.heading[1:],
                *(f"  {line}" for line in section.lines),
                section.link,
            ]
        )
        for section in sections
    ]
    return "\n\n".join([*parts, f"-- \n{_REASON}\n{switch}\n"])


def _render_html(sections: tuple[Section, ...], *, switch: str) -> str:
    parts = format_html_join(
        "",
        '<h2 style="font-size:18px;margin:0 0 4px">{}</h2><ul style="margin:4px 0">{}</ul>'
        '<p style="margin:4px 0 24px"><a href="{}">Open the page</a></p>',
        (
            (
                section.heading[0].upper() + section.heading[1:],
                format_html_join("", "<li>{}</li>", ((line,) for line in section.lines)),
                section.link,
            )
            for section in sections
        ),
    )
    return format_html(
        '<!DOCTYPE html><html lang="en"><body style="font-family:sans-serif;font-size:16px">{}'
        '<p style="color:#555;font-size:14px">{} <a href="{}">{}</a></p></body></html>',
        parts,
        _REASON,
        switch,
        switch,
    )
