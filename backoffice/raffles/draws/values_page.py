"""Values page: what each source published, entered by one person and confirmed by another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from backoffice.raffles.draws import pages, stub_parts
from backoffice.raffles.draws.pages import DrawAction, DrawPage
from backoffice.raffles.draws.value_forms import SkipForm, StubForm, ValuesForm, VoidForm
from backoffice.ui import audit_log, file_responses
from backoffice.ui.actions import ActionRefused, build_staff_actor
from shared.core.enums import ActorKind, DrawMethod, RaffleStatus, SourceKind, VoidReason
from shared.raffles.draws import draw_methods
from shared.raffles.draws.draw_errors import ValueExists
from shared.raffles.draws.draw_models import Prize, SealedList, SourceReading
from shared.raffles.models import Raffle
from shared.raffles.services.draws import drawing, source_readings
from shared.raffles.services.draws.drawing import DrawInputs
from shared.raffles.services.draws.source_readings import SourceState


@dataclass(frozen=True, slots=True)
class SourceCard:
    """A source on the page.

    Attributes:
        state: The source, the date that decides and its reading.
        due: Whether that date has come.
        look_up: The address where its values stand.
        form: The form for its values; None if they were entered or the date has not come.

    """

    state: SourceState
    due: bool
    look_up: str
    form: ValuesForm | None


@dataclass(frozen=True, slots=True)
class StubCard:
    """A prize that is drawn from the drum: its stub, or the form for it."""

    prize: Prize
    stub: SourceReading | None
    form: StubForm | None


@require_GET
def values_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Show each source, or each prize of a drum, with its values or a form for them."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.VIEW_PERMISSION)
    return _render_values(request, raffle)


@require_POST
def enter_values_view(request: HttpRequest, raffle_id: int, position: int) -> HttpResponse:
    """Enter the values that a source published."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.DRAW_PERMISSION)
    form = ValuesForm(request.POST, request.FILES, prefix=f"source{position}")
    if source := raffle.draw_sources.filter(position=position).first():
        form.describe_source(source)
    action = DrawAction(request)
    with action:
        if not form.is_valid():
            raise ActionRefused("Nothing was entered yet. Look at the form once more, please.")
        try:
            reading = source_readings.enter_values(
                raffle.pk,
                position=position,
                values=form.list_values(),
                link=form.cleaned_data["link"],
                photo=form.cleaned_data["photo"],
                by=build_staff_actor(request),
                now=timezone.now(),
            )
        except ValueExists as refusal:
            raise ActionRefused(refusal.message(), level=messages.INFO) from refusal
        audit_log.record_action(request, raffle, f"Entered the values of {reading.source}")
        action.report(messages.SUCCESS, _describe_entered(reading))
    if action.level == messages.ERROR:
        form.ask_for_photo_again()
        return _render_values(request, raffle, form=form, position=position)
    return redirect(pages.build_page_url(raffle.pk, DrawPage.VALUES))


@require_POST
def enter_stub_view(request: HttpRequest, raffle_id: int, position: int) -> HttpResponse:
    """Enter the ticket number of the stub that was drawn for a prize."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.DRAW_PERMISSION)
    form = StubForm(request.POST, request.FILES, prefix=f"prize{position}")
    action = DrawAction(request)
    with action:
        if not form.is_valid():
            raise ActionRefused("Nothing was entered yet. Look at the form once more, please.")
        try:
            stub = source_readings.enter_stub(
                raffle.pk,
                prize_position=position,
                number=form.cleaned_data["number"],
                link=form.cleaned_data["link"],
                photo=form.cleaned_data["photo"],
                by=build_staff_actor(request),
                now=timezone.now(),
            )
        except ValueExists as refusal:
            raise ActionRefused(refusal.message(), level=messages.INFO) from refusal
        audit_log.record_action(request, raffle, f"Entered the stub for {stub.prize}")
        action.report(messages.SUCCESS, _describe_entered(stub))
    if action.level == messages.ERROR:
        form.ask_for_photo_again()
        return _render_values(request, raffle, form=form, position=position)
    return redirect(pages.build_page_url(raffle.pk, DrawPage.VALUES))


@require_http_methods(["GET", "POST"])
def confirm_reading_view(request: HttpRequest, raffle_id: int, reading_id: int) -> HttpResponse:
    """Show values to a second person, who looks at the source; a POST confirms them."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.DRAW_PERMISSION)
    reading = _load_reading(raffle, reading_id)
    if request.method == "GET":
        context = {
            "title": "Confirm the values",
            "reading": reading,
            "look_up": _find_look_up(reading),
            "same_person": _get_first_person(reading) == str(request.user.pk),
            "template": "raffles/draws/confirm_reading.html",
        }
        return pages.render_draw_page(request, raffle, DrawPage.VALUES, context)
    action = DrawAction(request)
    with action:
        if request.POST.get("seen") != "yes":
            raise ActionRefused("Say that you have looked yourself; nothing was changed.")
        source_readings.confirm_reading(
            reading.pk, by=build_staff_actor(request), now=timezone.now()
        )
        audit_log.record_action(request, raffle, f"Confirmed the values of {_name(reading)}")
        action.report(messages.SUCCESS, "Confirmed.")
    if not action.succeeded:
        return redirect("admin:desk_draw_confirm_reading", raffle.pk, reading.pk)
    return redirect(pages.build_page_url(raffle.pk, DrawPage.VALUES))


@require_http_methods(["GET", "POST"])
def void_reading_view(request: HttpRequest, raffle_id: int, reading_id: int) -> HttpResponse:
    """Declare values void, with a reason that everybody can read."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.DRAW_PERMISSION)
    reading = _load_reading(raffle, reading_id)
    form = VoidForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        action = DrawAction(request)
        with action:
            voided = source_readings.void_reading(
                reading.pk,
                reason=VoidReason(form.cleaned_data["reason"]),
                comment=form.cleaned_data["comment"],
                by=build_staff_actor(request),
                now=timezone.now(),
            )
            audit_log.record_action(request, raffle, f"Declared void: {_name(reading)}")
            action.report(messages.SUCCESS, _describe_void(voided))
        if action.succeeded:
            return redirect(pages.build_page_url(raffle.pk, DrawPage.VALUES))
    context = {
        "title": "Declare values void",
        "two_people": SealedList.objects.filter(raffle=raffle, two_people=True).exists(),
        "reading": reading,
        "form": form,
        "template": "raffles/draws/void_reading.html",
    }
    return pages.render_draw_page(request, raffle, DrawPage.VALUES, context)


@require_http_methods(["GET", "POST"])
def skip_date_view(request: HttpRequest, raffle_id: int, position: int) -> HttpResponse:
    """Record that a source published nothing at its date, so that its next one decides."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.DRAW_PERMISSION)
    source = get_object_or_404(raffle.draw_sources, position=position)
    form = SkipForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        action = DrawAction(request)
        with action:
            skipped = source_readings.skip_date(
                raffle.pk,
                position=position,
                comment=form.cleaned_data["comment"],
                link=form.cleaned_data["link"],
                by=build_staff_actor(request),
                now=timezone.now(),
            )
            audit_log.record_action(request, raffle, f"Skipped a date of {source}")
            action.report(messages.SUCCESS, _describe_skipped(skipped))
        if action.succeeded:
            return redirect(pages.build_page_url(raffle.pk, DrawPage.VALUES))
    context = {
        "title": "Nothing was published",
        "source": source,
        "form": form,
        "template": "raffles/draws/skip_date.html",
    }
    return pages.render_draw_page(request, raffle, DrawPage.VALUES, context)


@require_GET
def reading_photo_view(request: HttpRequest, raffle_id: int, reading_id: int) -> HttpResponseBase:
    """Return the photo that shows values."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.VIEW_PERMISSION)
    reading = _load_reading(raffle, reading_id)
    return file_responses.build_picture_response(reading.photo, name=f"values-{reading.pk}")


def _render_values(
    request: HttpRequest,
    raffle: Raffle,
    *,
    form: ValuesForm | StubForm | None = None,
    position: int = 0,
) -> HttpResponse:
    """Render the page, with the form at `position` as it was submitted."""
    now = timezone.now()
    sealed = SealedList.objects.defer("numbers").filter(raffle=raffle).first()
    if sealed is None:
        return redirect(pages.build_page_url(raffle.pk, DrawPage.SEAL))
    inputs = drawing.load_inputs(raffle, sealed)
    may_draw = request.user.has_perm(pages.DRAW_PERMISSION)
    drum = raffle.draw_method == DrawMethod.RECORDED_DRUM
    context = {
        "sealed": sealed,
        "inputs": inputs,
        "sources": [
            _build_source_card(state, now=now, may_draw=may_draw, form=form, place=position)
            for state in inputs.states
        ],
        "stubs": _list_stub_cards(raffle, inputs, may_draw=may_draw, form=form, place=position)
        if drum
        else [],
        "stub_parts": stub_parts.list_parts(sealed) if drum else [],
        "to_draw": inputs.prizes and not inputs.missing,
    }
    return pages.render_draw_page(request, raffle, DrawPage.VALUES, context)


def _build_source_card(
    state: SourceState,
    *,
    now: datetime,
    may_draw: bool,
    form: ValuesForm | StubForm | None,
    place: int,
) -> SourceCard:
    due, position = now >= state.at, state.source.position
    look_up = (
        draw_methods.build_drand_url(state.round_number) if state.round_number else state.source.url
    )
    shown = None
    is_open = state.reading is None or not state.reading.values  # or one person wants to skip it
    if may_draw and due and is_open:
        if isinstance(form, ValuesForm) and position == place:
            shown = form
        else:
            shown = ValuesForm(prefix=f"source{position}", initial={"link": look_up})
            shown.describe_source(state.source)
    return SourceCard(state=state, due=due, look_up=look_up, form=shown)


def _list_stub_cards(
    raffle: Raffle,
    inputs: DrawInputs,
    *,
    may_draw: bool,
    form: ValuesForm | StubForm | None,
    place: int,
) -> Sequence[StubCard]:
    stubs = {stub.prize_id: stub for stub in inputs.stubs}
    cards = []
    for prize in _list_prizes_for_stubs(raffle, inputs):
        stub, shown = stubs.get(prize.pk), None
        if stub is None and may_draw:
            if isinstance(form, StubForm) and prize.position == place:
                shown = form
            else:
                shown = StubForm(prefix=f"prize{prize.position}")
        cards.append(StubCard(prize, stub=stub, form=shown))
    return cards


def _list_prizes_for_stubs(raffle: Raffle, inputs: DrawInputs) -> list[Prize]:
    """Return the prizes to draw; once drawn those not claimed, as a redraw needs a stub first."""
    claimed = raffle.draw_results.filter(claim__claimed_at__isnull=False).values("prize")
    open_prizes = Prize.objects.filter(raffle=raffle).exclude(pk__in=claimed)
    if raffle.status == RaffleStatus.SEALED:
        return list(inputs.prizes)
    return list(open_prizes)


def _load_reading(raffle: Raffle, reading_id: int) -> SourceReading:
    readings = SourceReading.objects.select_related("source", "prize").filter(raffle=raffle)
    return get_object_or_404(readings, pk=reading_id)


def _get_first_person(reading: SourceReading) -> str:
    """Return the id of the user who entered values, or who wants to skip a date without any."""
    if not reading.values:
        return reading.void_proposed_id
    return reading.entered_id if reading.entered_kind == ActorKind.STAFF else ""


def _find_look_up(reading: SourceReading) -> str:
    """Return the address where the values stand, independent of the link that was entered."""
    if reading.source is None or reading.at is None:
        return ""
    if reading.source.kind == SourceKind.DRAND:
        return draw_methods.build_drand_url(draw_methods.compute_drand_round(reading.at))
    return reading.source.url


def _describe_entered(reading: SourceReading) -> str:
    if reading.confirmed_at is not None:
        return "Entered. It counts, because one person draws here."
    return "Entered. Another person with the permission must confirm it now."


def _describe_void(reading: SourceReading) -> str:
    if reading.voided_at is None:
        return "Noted. Another person with the permission must declare them void, too."
    return "Declared void. They are kept and shown, and do not count."


def _describe_skipped(reading: SourceReading) -> str:
    if reading.voided_at is None:
        return "Noted. Another person with the permission must confirm that nothing was published."
    return "Noted. The next date of the source decides."


def _name(reading: SourceReading) -> str:
    return str(reading.source or reading.prize)
