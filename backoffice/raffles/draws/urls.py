"""URLs of the draws, below `/admin/`."""

from collections.abc import Callable
from typing import Final

from django.contrib.admin import AdminSite
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from backoffice.raffles.draws import (
    downloads,
    draw_list,
    draw_page,
    result_page,
    rules_page,
    seal_page,
    stub_parts,
    tell_page,
    values_page,
    winners_page,
)

_VIEWS: Final[tuple[tuple[str, Callable[..., HttpResponseBase], str], ...]] = (
    ("", draw_list.draw_list_view, "desk_draws"),
    ("<id:raffle_id>/", draw_list.next_step_view, "desk_draw"),
    ("<id:raffle_id>/rules/", rules_page.rules_view, "desk_draw_rules"),
    ("<id:raffle_id>/rules/preview/", rules_page.preview_view, "desk_draw_rules_preview"),
    (
        "<id:raffle_id>/prizes/<id:prize_id>/",
        rules_page.prize_picture_view,
        "desk_draw_prize_picture",
    ),
    ("<id:raffle_id>/seal/", seal_page.seal_view, "desk_draw_seal"),
    ("<id:raffle_id>/values/", values_page.values_view, "desk_draw_values"),
    (
        "<id:raffle_id>/values/<id:position>/",
        values_page.enter_values_view,
        "desk_draw_enter_values",
    ),
    ("<id:raffle_id>/values/<id:position>/skip/", values_page.skip_date_view, "desk_draw_skip"),
    ("<id:raffle_id>/stubs/", stub_parts.stubs_view, "desk_draw_stubs"),
    ("<id:raffle_id>/stubs/<id:position>/", values_page.enter_stub_view, "desk_draw_enter_stub"),
    (
        "<id:raffle_id>/readings/<id:reading_id>/",
        values_page.confirm_reading_view,
        "desk_draw_confirm_reading",
    ),
    (
        "<id:raffle_id>/readings/<id:reading_id>/void/",
        values_page.void_reading_view,
        "desk_draw_void",
    ),
    (
        "<id:raffle_id>/readings/<id:reading_id>/photo/",
        values_page.reading_photo_view,
        "desk_draw_photo",
    ),
    ("<id:raffle_id>/draw/", draw_page.draw_view, "desk_draw_draw"),
    ("<id:raffle_id>/result/", result_page.result_view, "desk_draw_result"),
    ("<id:raffle_id>/winners/", winners_page.winners_view, "desk_draw_winners"),
    (
        "<id:raffle_id>/winners/<id:result_id>/confirm/",
        winners_page.confirm_winner_view,
        "desk_draw_confirm_winner",
    ),
    (
        "<id:raffle_id>/winners/<id:result_id>/claim/",
        winners_page.claim_prize_view,
        "desk_draw_claim",
    ),
    (
        "<id:raffle_id>/winners/<id:result_id>/consent/",
        winners_page.name_consent_view,
        "desk_draw_consent",
    ),
    ("<id:raffle_id>/tell/", tell_page.tell_view, "desk_draw_tell"),
    ("<id:raffle_id>/tell/winners/", tell_page.tell_winners_view, "desk_draw_tell_winners"),
    ("<id:raffle_id>/tell/buyers/", tell_page.tell_buyers_view, "desk_draw_tell_buyers"),
    ("<id:raffle_id>/record/", downloads.record_view, "desk_draw_record"),
    ("<id:raffle_id>/record/winners/", downloads.winners_file_view, "desk_draw_winners_file"),
    ("<id:raffle_id>/record/results/", downloads.results_page_view, "desk_draw_results_page"),
    ("<id:raffle_id>/winners/<id:result_id>/redraw/", winners_page.redraw_view, "desk_draw_redraw"),
)


def build_draw_urls(site: AdminSite) -> list[URLPattern]:
    """Return the URL patterns, for staff only; the views check their own permissions."""
    return [
        path(f"draws/{route}", site.admin_view(view), name=name) for route, view, name in _VIEWS
    ]
