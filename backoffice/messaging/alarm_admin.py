"""Admin of alarms."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from backoffice.changelists.facets import CountedConditionFilter
from backoffice.changelists.tabs import TabbedAdmin
from backoffice.messaging import alarm_advice, channel_actions
from backoffice.ui import actions, display
from shared.whatsapp.models import Alarm


class AlarmStateFilter(CountedConditionFilter):
    """Open or resolved alarms."""

    title = "State"
    parameter_name = "open"
    answers: ClassVar = {
        "yes": ("Open", Q(resolved_at__isnull=True)),
        "no": ("Resolved", Q(resolved_at__isnull=False)),
    }
    counted = ("yes",)


@admin.register(Alarm)
class AlarmAdmin(TabbedAdmin):
    """Alarms, open ones first."""

    menu_name = "Alarms"
    list_display = ("title", "state", "often", "last", "settled")
    list_filter = (AlarmStateFilter,)
    ordering = (F("resolved_at").desc(nulls_first=True), "-last_at")
    sortable_by = ()
    actions = ("mark_resolved",)
    change_form_template = "admin/whatsapp/alarm/change_form.html"

    @admin.display(description="State")
    def state(self, alarm: Alarm) -> SafeString:
        """Return the state as a badge."""
        if alarm.resolved_at is None:
            return display.render_badge("Open", style="danger")
        return display.render_badge("Resolved", style="success")

    @admin.display(description="How often")
    def often(self, alarm: Alarm) -> str:
        """Return how often the alarm was raised."""
        return "once" if alarm.count == 1 else f"{alarm.count:,} times"

    @admin.display(description="Last")
    def last(self, alarm: Alarm) -> str:
        """Return when the alarm was last raised."""
        return display.format_time(alarm.last_at)

    @admin.display(description="Resolved by", empty_value="")
    def settled(self, alarm: Alarm) -> str | None:
        """Return who or what resolved the alarm."""
        return alarm.resolved_by or None

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may resolve alarms."""
        return request.user.has_perm(channel_actions.RESOLVE_ALARM_PERMISSION)

    @admin.action(description="Mark as resolved", permissions=["resolve"])
    def mark_resolved(self, request: HttpRequest, chosen: QuerySet[Alarm]) -> None:
        """Resolve the chosen alarms; if the trouble comes again, a new alarm opens."""
        actions.apply_to_each_row(
            request, chosen.order_by("pk"), channel_actions.close_alarm, done="Resolved"
        )

    def get_urls(self) -> list[URLPattern]:
        """Add the URL that resolves an alarm."""
        view = self.admin_site.admin_view(channel_actions.resolve_alarm_view)
        return [
            path("<id:alarm_id>/resolve/", view, name="whatsapp_alarm_resolve"),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Add the alarm and the advice to the context."""
        alarm: Alarm = kwargs["obj"]
        context |= {
            "alarm": alarm,
            "advice": alarm_advice.build_alarm_advice(alarm),
            "often": self.often(alarm),
            "first": display.format_time(alarm.first_at),
            "last": display.format_time(alarm.last_at),
            "resolved": display.format_time(alarm.resolved_at),
            "may_resolve": alarm.resolved_at is None and self.has_resolve_permission(request),
        }
        return super().render_change_form(request, context, *args, **kwargs)
