"""Rules page: a form with a preview of the rule text, and the frozen text afterwards."""

from copy import copy
from dataclasses import asdict, dataclass
from itertools import chain, repeat
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from backoffice.raffles.draws import pages
from backoffice.raffles.draws.pages import DrawAction, DrawPage
from backoffice.raffles.draws.rules_forms import (
    PrizeFormSet,
    RulesForm,
    SourceFormSet,
    SourcePreset,
    describe_new_source,
    describe_source,
)
from backoffice.ui import audit_log, file_responses, ids
from backoffice.ui.actions import build_staff_actor
from shared.core.enums import DrawMethod, RaffleStatus, UnsoldRule
from shared.raffles.draws.draw_models import DrawRules, Prize
from shared.raffles.models import Raffle
from shared.raffles.services.draws import draw_rules, legal_details, prizes, receipt_chain
from shared.raffles.services.draws.draw_rules import ChosenRules, ChosenSource
from shared.raffles.services.draws.legal_details import LegalDetails

_EDITABLE_STATUSES: Final = (
    RaffleStatus.DRAFT,
    RaffleStatus.OPEN,
    RaffleStatus.PAUSED,
    RaffleStatus.CLOSED,
)
_MAX_ROWS: Final = 99
_ADD_BUTTONS: Final = {"sources": "add_source", "prizes": "add_prize"}
"""Buttons that add a row, by the prefix of their rows, for browsers without scripts."""


@dataclass(frozen=True, slots=True)
class RulesForms:
    """The parts of the rules form."""

    rules: RulesForm
    sources: Any
    prizes: Any

    @property
    def is_valid(self) -> bool:
        """Whether all parts are valid; each of them is checked, so that all errors are shown."""
        return all([self.rules.is_valid(), self.sources.is_valid(), self.prizes.is_valid()])

    @property
    def has_errors(self) -> bool:
        """Whether a submitted form has an error in any part."""
        return self.rules.is_bound and bool(
            self.rules.errors or any(self.sources.errors) or any(self.prizes.errors)
        )

    def show_row_errors(self) -> None:
        """Show what is wrong with the rows together at the top of the form."""
        for rows in (self.sources, self.prizes):
            for error in rows.non_form_errors():
                self.rules.add_error(None, error)

    def build_rules(self) -> ChosenRules:
        """Return the rules of valid forms."""
        values = self.rules.cleaned_data
        method = DrawMethod(values["method"])
        return ChosenRules(
            method=method,
            sources=[] if method is DrawMethod.RECORDED_DRUM else self._list_sources(),
            prizes=[row["title"].strip() for row in self.list_prizes()],
            unsold_rule=UnsoldRule(values["unsold_rule"]),
            minimum_sold=values["minimum_sold"],
            claim_days=values["claim_days"],
            further_terms=values["further_terms"],
        )

    def build_details(self) -> LegalDetails:
        """Return the legal details of valid forms."""
        values = self.rules.cleaned_data
        return LegalDetails(
            promoter=values["promoter"],
            permit_number=values["permit_number"],
            rules_url=values["rules_url"],
            adults_only=values["adults_only"],
        )

    def list_prizes(self) -> list[dict[str, Any]]:
        """Return the values of the prizes with a title, in their order."""
        rows = [form.cleaned_data for form in self.prizes.ordered_forms]
        return [row for row in rows if row.get("title", "").strip()]

    def _list_sources(self) -> list[ChosenSource]:
        deleted = self.sources.deleted_forms
        return [form.build_source() for form in self.sources.forms if form not in deleted]


@require_http_methods(["GET", "POST"])
def rules_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Show the rules, or their form while they may change; a POST saves them."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.VIEW_PERMISSION)
    may_change = request.user.has_perm(pages.RULES_PERMISSION)
    if request.method == "POST" and not may_change:
        raise PermissionDenied
    frozen = DrawRules.objects.filter(raffle=raffle, frozen_at__isnull=False).first()
    if frozen is not None or raffle.status not in _EDITABLE_STATUSES or not may_change:
        if request.method == "POST":
            messages.info(request, "These rules cannot change any more; nothing was changed.")
            return redirect(pages.build_page_url(raffle.pk, DrawPage.RULES))
        return _render_frozen(request, raffle, frozen)
    with timezone.override(raffle.time_zone):
        if request.method == "GET":
            return _render_form(request, raffle, _build_unbound_forms(raffle))
        for prefix, button in _ADD_BUTTONS.items():
            if button in request.POST:
                forms = _build_bound_forms(_add_row(request.POST, prefix), request)
                return _render_form(request, raffle, forms)
        forms = _build_bound_forms(request.POST, request)
        if forms.is_valid and _save(request, raffle, forms):
            return redirect(pages.build_page_url(raffle.pk, DrawPage.RULES))
        forms.show_row_errors()
        return _render_form(request, raffle, forms)


@require_POST
def preview_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Return the rule text of the form as HTML, or what is missing for it."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.RULES_PERMISSION)
    with timezone.override(raffle.time_zone):
        forms = _build_bound_forms(request.POST, request)
        return render(request, "raffles/draws/parts/rule_text.html", _describe_text(raffle, forms))


@require_GET
def prize_picture_view(request: HttpRequest, raffle_id: int, prize_id: int) -> HttpResponseBase:
    """Return the picture of a prize."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.VIEW_PERMISSION)
    prize = get_object_or_404(Prize, pk=prize_id, raffle=raffle)
    return file_responses.build_picture_response(prize.picture, name=f"prize-{prize.pk}")


def _save(request: HttpRequest, raffle: Raffle, forms: RulesForms) -> bool:
    """Save the rules; return False with the problem at the form if they are refused."""
    chosen = forms.build_rules()
    problem = draw_rules.find_rules_problem(raffle, chosen)
    if problem is not None:
        forms.rules.add_error(_find_field(problem), problem)
        return False
    by, now = build_staff_actor(request), timezone.now()
    action = DrawAction(request)
    with action:
        legal_details.save_legal_details(raffle.pk, forms.build_details(), now=now)
        rules = draw_rules.save_rules(raffle.pk, chosen, by=by, now=now)
        if rules.frozen_at is None:
            _save_pictures(raffle, forms)
        else:
            receipt_chain.complete_chain(raffle.pk, now=now)
        audit_log.record_action(request, raffle, "Said how the raffle is drawn")
        action.report(messages.SUCCESS, _describe_saved(rules))
    return action.succeeded


def _describe_saved(rules: DrawRules) -> str:
    if rules.frozen_at is None:
        return "The rules are saved. They freeze when the first number is sold."
    return "The rules are saved and frozen: numbers were sold before. Each sale has its receipt."


def _find_field(problem: str) -> str | None:
    """Return the field that a problem of the rules is about; None for the top of the form."""
    return "minimum_sold" if "minimum" in problem or "has only" in problem else None


def _save_pictures(raffle: Raffle, forms: RulesForms) -> None:
    """Set the pictures that were chosen, and remove those that were marked."""
    for position, row in enumerate(forms.list_prizes(), start=1):
        if row["picture"] or row["without_picture"]:
            prizes.set_prize_picture(raffle.pk, position=position, picture=row["picture"])


def _build_unbound_forms(raffle: Raffle) -> RulesForms:
    chosen = draw_rules.load_chosen_rules(raffle)
    keys = Prize.objects.filter(raffle=raffle).values_list("pk", flat=True)
    titles = [
        {"prize": key, "title": title}
        for key, title in zip(chain(keys, repeat(None)), chosen.prizes, strict=False)
    ]
    is_usual_minimum = chosen.minimum_sold == len(titles)  # it grows with the prizes
    rules = RulesForm(
        initial={
            "method": chosen.method.value,
            "unsold_rule": chosen.unsold_rule.value,
            "minimum_sold": None if is_usual_minimum else chosen.minimum_sold,
            "claim_days": chosen.claim_days,
            "further_terms": chosen.further_terms,
            "promoter": raffle.promoter,
            "permit_number": raffle.permit_number,
            "rules_url": raffle.rules_url,
            "adults_only": raffle.adults_only,
        }
    )
    new = describe_new_source(raffle)
    sources = [{**new, **describe_source(source)} for source in chosen.sources]
    return RulesForms(
        rules,
        SourceFormSet(initial=sources or [new], prefix="sources"),
        PrizeFormSet(initial=titles, prefix="prizes"),
    )


def _build_bound_forms(data: QueryDict, request: HttpRequest) -> RulesForms:
    return RulesForms(
        RulesForm(data),
        SourceFormSet(data, prefix="sources"),
        PrizeFormSet(data, request.FILES, prefix="prizes"),
    )


def _add_row(data: QueryDict, prefix: str) -> QueryDict:
    """Return submitted values with one more empty row."""
    more = data.copy()
    rows = ids.parse_digits(data.get(f"{prefix}-TOTAL_FORMS", ""), most=_MAX_ROWS) or 0
    more[f"{prefix}-TOTAL_FORMS"] = str(rows + 1)
    if prefix == "sources":
        more[f"{prefix}-{rows}-preset"] = SourcePreset.DRAND.value
    return more


def _describe_text(raffle: Raffle, forms: RulesForms) -> dict[str, Any]:
    """Return the text of the rules in a form and the problem with it, if there is one."""
    if forms.rules.is_bound and not forms.is_valid:
        return {"text": "", "problem": "The text stands here once the form is complete."}
    if not forms.rules.is_bound:
        return {"text": draw_rules.load_rule_text(raffle), "problem": ""}
    chosen = forms.build_rules()
    described = copy(raffle)
    for name, value in asdict(forms.build_details()).items():
        setattr(described, name, value)
    text = draw_rules.build_rule_text(described, chosen)
    return {"text": text, "problem": draw_rules.find_rules_problem(raffle, chosen) or ""}


def _render_form(request: HttpRequest, raffle: Raffle, forms: RulesForms) -> HttpResponse:
    pictures = Prize.objects.filter(raffle=raffle).exclude(picture="").values_list("pk", flat=True)
    context = {
        "forms": forms,
        "with_picture": set(pictures),
        "sold_before": draw_rules.need_rules(raffle.pk),
        "new_source": SourceFormSet(prefix="sources").empty_form,
        "new_prize": PrizeFormSet(prefix="prizes").empty_form,
        "template": "raffles/draws/rules_form.html",
        **_describe_text(raffle, forms),
    }
    return pages.render_draw_page(request, raffle, DrawPage.RULES, context)


def _render_frozen(request: HttpRequest, raffle: Raffle, frozen: DrawRules | None) -> HttpResponse:
    context = {
        "frozen": frozen,
        "text": draw_rules.load_rule_text(raffle),
        "prizes": list(Prize.objects.filter(raffle=raffle)),
    }
    return pages.render_draw_page(request, raffle, DrawPage.RULES, context)
