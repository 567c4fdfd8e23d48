"""Tests of access to every page and button of the back office, by role."""

import logging
from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Model
from django.template import Origin
from django.template.loaders.base import Loader
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse
from pytest_django import Settings

from backoffice.accounts import roles
from backoffice.api.models import ApiToken
from shared.core.enums import ActorKind, OrderAction
from shared.events.models import Event, EventDelivery, EventEndpoint
from shared.raffles.models import LedgerEntry, OrderEvent
from shared.whatsapp.models import (
    AccountNotice,
    BusinessNumber,
    InboundMessage,
    OutboundMessage,
    UnreadableItem,
)
from shared.whatsapp.services import alarms
from tests import builders
from tests.builders import NOON, PHONE_NUMBER_ID
from tests.integration.backoffice import sample_data
from tests.model_admins import load_model_admins

pytestmark = pytest.mark.django_db

type AllowedRoles = tuple[str | None, str | None]
"""Roles that may GET and roles that may POST, by first letter; None if not tested."""

EVERYBODY: Final = "OSRAN"
"""Owner (a superuser), Seller, Reviewer, Auditor, and No role (staff without one)."""


def allow_get(may: str) -> AllowedRoles:
    """Return the roles that may open a page."""
    return may, None


def allow_post(may: str) -> AllowedRoles:
    """Return the roles that may press a button."""
    return None, may


def allow_get_and_post(*, look: str, do: str) -> AllowedRoles:
    """Return the roles that may open a form and those that may submit it."""
    return look, do


def allow_read_only(model: str, may: str) -> dict[str, AllowedRoles]:
    """Return the access to a model that nobody may add, change or delete by hand."""
    return {
        f"{model}_changelist": allow_get(may),
        f"{model}_history": allow_get(may),
        f"{model}_change": allow_get_and_post(look=may, do=""),
        f"{model}_add": allow_get_and_post(look="", do=""),
        f"{model}_delete": allow_get_and_post(look="", do=""),
    }


def allow_superusers(model: str) -> dict[str, AllowedRoles]:
    """Return the access to a model that belongs to superusers."""
    return {
        f"{model}_{action}": allow_get("O")
        for action in ("changelist", "history", "change", "add", "delete")
    }


class EmptyTemplateLoader(Loader):
    """Loader that finds every template empty, as the content of pages does not matter here."""

    def get_template_sources(self, template_name: str) -> Iterator[Origin]:
        """Find every template."""
        yield Origin(name=template_name, template_name=template_name, loader=self)

    def get_contents(self, origin: Origin) -> str:
        """Return an empty template."""
        return ""


@pytest.fixture
def blank_pages(settings: Settings) -> Iterator[None]:
    """Replace all templates with empty ones and switch the log off."""
    engine = settings.TEMPLATES[0]
    options = {**engine["OPTIONS"], "loaders": [f"{__name__}.EmptyTemplateLoader"]}
    settings.TEMPLATES = [{**engine, "APP_DIRS": False, "OPTIONS": options}]
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def iterate_urls(
    patterns: list[URLPattern | URLResolver] | None = None,
) -> Iterator[tuple[str, list[str]]]:
    """Yield the name and the arguments of each address below /admin/."""
    load_model_admins()
    for found in admin.site.get_urls() if patterns is None else patterns:
        if isinstance(found, URLResolver):
            yield from iterate_urls(found.url_patterns)
        elif found.name:
            yield found.name, list(found.pattern.converters) or list(found.pattern.regex.groupindex)


def log_in_every_role() -> dict[str, Client]:
    """Return a logged-in browser for each role."""
    roles.grant_role_permissions(apps)
    found = {"O": User.objects.create_superuser("olga"), "N": sample_data.create_user("nora")}
    for role in roles.ROLES:
        person = sample_data.create_user(role.name.lower())
        person.groups.add(Group.objects.get(name=role.name))
        found[role.name[0]] = person
    browsers = {}
    for letter, person in found.items():
        browsers[letter] = Client()
        browsers[letter].force_login(person)
    return browsers


def create_every_row() -> dict[str, Model]:
    """Create a row of every model that has a page."""
    order = sample_data.place_order()
    contact = order.contact
    proof = sample_data.keep_proof_file(sample_data.receive_proof(order))
    person = User.objects.create_user("somebody", is_staff=True)
    event = Event.objects.create(type="order.paid", data={}, created_at=NOON)
    endpoint = EventEndpoint.objects.create(name="n8n", url="https://n8n.example", created_at=NOON)
    moment: dict[str, Any] = {"phone_number_id": PHONE_NUMBER_ID, "contact": contact}
    return {
        "raffles_raffle": order.raffle,
        "raffles_order": order,
        "raffles_paymentproof": proof,
        "raffles_ledgerentry": LedgerEntry.objects.create(
            raffle=order.raffle,
            order=order,
            kind="LATE_REFUNDED",
            amount=order.total,
            currency=order.currency,
            quantity=order.quantity,
            actor_kind="STAFF",
            at=NOON,
        ),
        "whatsapp_whatsappcontact": contact or builders.create_contact(),
        "whatsapp_inboundmessage": InboundMessage.objects.create(
            **moment,
            wa_message_id="wamid.1",
            dedupe_key="wamid.1",
            type="text",
            payload={"type": "text"},
            sent_at=NOON,
            received_at=NOON,
        ),
        "whatsapp_outboundmessage": OutboundMessage.objects.create(
            **moment, kind="REPLY", key="card", payload={}, created_at=NOON
        ),
        "whatsapp_alarm": alarms.sound_alarm("token", title="Sending is paused", now=NOON),
        "whatsapp_accountnotice": AccountNotice.objects.create(
            dedupe_key="x", field="account_update", payload={}, received_at=NOON
        ),
        "whatsapp_unreadableitem": UnreadableItem.objects.create(
            sha256="x", body=b"{", reason="not JSON", received_at=NOON
        ),
        "whatsapp_businessnumber": BusinessNumber.objects.create(phone_number_id=PHONE_NUMBER_ID),
        "events_event": event,
        "events_eventendpoint": endpoint,
        "events_eventdelivery": EventDelivery.objects.create(
            event=event, endpoint=endpoint, created_at=NOON
        ),
        "api_apitoken": ApiToken.objects.create(name="n8n", digest="x", created_at=NOON),
        "auth_user": person,
        "auth_group": Group.objects.create(name="Helpers"),
        "admin_logentry": LogEntry.objects.create(user=person, object_repr="x", action_flag=CHANGE),
    }


SALES: Final = "OSRA"
"""Roles that may view raffles, orders and proofs."""
CHANNEL: Final = "OSA"
"""Roles that may view the state of the WhatsApp channel."""

ACCESS: Final[dict[str, AllowedRoles]] = {
    # all staff
    **{
        name: allow_get(EVERYBODY)
        for name in (
            "index",
            "login",
            "password_change",
            "password_change_done",
            "jsi18n",
            "brand_style",
            "desk_security",
        )
    },
    **{
        f"desk_security_{name}": allow_post(EVERYBODY)
        for name in ("mail", "start", "stop", "confirm", "codes", "off")
    },
    "logout": (None, None),  # ends the session, so it is not tested here
    "brand_logo": (None, None),  # public, and missing unless configured
    "view_on_site": (None, None),  # Django's; no model uses it
    "autocomplete": (None, None),  # Django's; checked by the model's admin
    "app_list": (None, None),  # an app's page, with the models that the user may view
    # daily work
    "desk_queue": allow_get(SALES),
    "desk_review": allow_get(SALES),
    "desk_queue_state": allow_get(SALES),
    "desk_review_state": allow_get(SALES),
    "desk_ask_again": allow_post("OSR"),
    "desk_orphans": allow_get(SALES),
    "desk_orphan": allow_get(SALES),
    "desk_orphan_next": allow_get(SALES),
    "desk_orphan_attach": allow_post("OSR"),
    "desk_orphan_make_order": allow_post("OSR"),
    "desk_orphan_refund": allow_post("OSR"),
    "desk_orphan_dismiss": allow_post("OSR"),
    "desk_late": allow_get(SALES),
    "desk_late_free": allow_get(SALES),
    "desk_late_replace": allow_post("OSR"),
    "desk_late_refund": allow_post("OSR"),
    "desk_refunds": allow_get(SALES),
    "desk_sell": allow_get_and_post(look="OS", do="OS"),
    "desk_numbers": allow_get(SALES),
    "desk_share": allow_get(SALES),
    "desk_share_svg": allow_get(SALES),
    "desk_share_png": allow_get(SALES),
    "desk_share_poster": allow_get(SALES),
    "desk_export": allow_get("OSA"),
    **{f"desk_{name}": allow_get(SALES) for name in ("draws", "draw")},
    "desk_draw_rules": allow_get_and_post(look=SALES, do="OS"),
    "desk_draw_rules_preview": allow_post("OS"),
    "desk_draw_prize_picture": allow_get(SALES),
    **{f"desk_draw_{page}": allow_get_and_post(look=SALES, do="OS") for page in ("seal", "draw")},
    **{f"desk_draw_{page}": allow_get(SALES) for page in ("values", "photo", "result")},
    **{f"desk_draw_{page}": allow_get(SALES) for page in ("winners", "tell", "record")},
    "desk_draw_results_page": allow_get(SALES),
    "desk_draw_winners_file": allow_post("OSA"),
    **{f"desk_draw_{step}": allow_post("OS") for step in ("enter_values", "enter_stub")},
    **{
        f"desk_draw_{step}": allow_get_and_post(look="OS", do="OS")
        for step in ("skip", "confirm_reading", "void", "redraw")
    },
    **{f"desk_draw_tell_{whom}": allow_post("OS") for whom in ("winners", "buyers")},
    "desk_draw_stubs": allow_get("OS"),
    **{f"desk_draw_{step}": allow_post("OS") for step in ("confirm_winner", "claim", "consent")},
    # sales
    "raffles_raffle_changelist": allow_get(SALES),
    "raffles_raffle_history": allow_get(SALES),
    "raffles_raffle_change": allow_get_and_post(look=SALES, do="OS"),
    "raffles_raffle_add": allow_get_and_post(look="OS", do="OS"),
    "raffles_raffle_delete": allow_get_and_post(look="", do=""),
    "raffles_raffle_picture": allow_get(SALES),
    "raffles_raffle_preview": allow_post("OS"),
    "raffles_raffle_preview_of": allow_post("OS"),
    **{
        f"raffles_raffle_{step}": allow_post("OS")
        for step in ("generate", "open", "pause", "close", "duplicate")
    },
    "raffles_raffle_move_draw": allow_get_and_post(look="OS", do="OS"),
    "raffles_raffle_call_off": allow_get_and_post(look="OS", do="OS"),
    "raffles_raffle_untold": allow_get(SALES),
    **allow_read_only("raffles_order", SALES),
    **{f"raffles_order_{step}": allow_post("OSR") for step in ("confirm", "reject", "cancel")},
    "raffles_order_undo": allow_post("OSR"),
    "raffles_order_refund": allow_get_and_post(look="OS", do="OS"),
    **{f"raffles_order_{step}": allow_post("OSR") for step in ("note", "more_time")},
    **{f"raffles_order_{step}_many": allow_post("OSR") for step in ("confirm", "reject", "cancel")},
    "raffles_order_more_time_many": allow_post("OSR"),
    "raffles_order_done": allow_get("OSR"),
    **allow_read_only("raffles_paymentproof", SALES),
    **allow_read_only("raffles_ledgerentry", SALES),
    "raffles_paymentproof_file": allow_get(SALES),
    "raffles_paymentproof_picture": allow_get(SALES),
    "raffles_paymentproof_thumbnail": allow_get(SALES),
    # messages
    **allow_read_only("whatsapp_whatsappcontact", SALES),
    "whatsapp_whatsappcontact_block": allow_post("OS"),
    "whatsapp_whatsappcontact_unblock": allow_post("OS"),
    **{
        f"whatsapp_whatsappcontact_{step}": allow_post("OSR")
        for step in ("reply", "pause_bot", "resume_bot")
    },
    "whatsapp_whatsappcontact_chat_state": allow_get(SALES),
    "whatsapp_whatsappcontact_join": allow_get_and_post(look="OS", do="OS"),
    "whatsapp_whatsappcontact_undo_join": allow_post("OS"),
    "whatsapp_whatsappcontact_keep_apart": allow_post("OS"),
    "whatsapp_whatsappcontact_erase": allow_get_and_post(look="OS", do="OS"),
    "whatsapp_whatsappcontact_export": allow_post("OSA"),
    **allow_read_only("whatsapp_inboundmessage", SALES),
    "whatsapp_inboundmessage_again": allow_post("OS"),
    **allow_read_only("whatsapp_outboundmessage", SALES),
    "whatsapp_outboundmessage_again": allow_post("OS"),
    **allow_read_only("whatsapp_alarm", CHANNEL),
    "whatsapp_alarm_resolve": allow_post("OS"),
    **allow_read_only("whatsapp_businessnumber", CHANNEL),
    "whatsapp_businessnumber_try": allow_post("OS"),
    **allow_read_only("whatsapp_accountnotice", CHANNEL),
    **allow_read_only("whatsapp_unreadableitem", CHANNEL),
    # automation
    **allow_read_only("events_event", CHANNEL),
    **allow_read_only("events_eventdelivery", CHANNEL),
    "events_eventdelivery_again": allow_post("OS"),
    "events_eventendpoint_changelist": allow_get(CHANNEL),
    "events_eventendpoint_history": allow_get(CHANNEL),
    "events_eventendpoint_change": allow_get_and_post(look=CHANNEL, do="O"),
    "events_eventendpoint_add": allow_get_and_post(look="O", do="O"),
    "events_eventendpoint_delete": allow_get("O"),  # a POST would delete a row that others view
    **{f"events_eventendpoint_{step}": allow_post("O") for step in ("on", "off", "new_secret")},
    "api_apitoken_changelist": allow_get("O"),
    "api_apitoken_history": allow_get("O"),
    "api_apitoken_change": allow_get_and_post(look="O", do=""),
    "api_apitoken_add": allow_get_and_post(look="O", do="O"),
    "api_apitoken_delete": allow_get_and_post(look="", do=""),
    "api_apitoken_revoke": allow_post("O"),
    # people
    **allow_superusers("auth_user"),
    "auth_user_password_change": allow_get_and_post(look="O", do="O"),
    "auth_user_reset_second_factor": allow_post("O"),
    **allow_superusers("auth_group"),
    **allow_read_only("admin_logentry", CHANNEL),
}


@pytest.mark.same_everywhere
def test_no_page_is_forgotten() -> None:
    """Every address must have its roles in `ACCESS`."""
    named = {name for name, _ in iterate_urls()}

    assert sorted(named - ACCESS.keys()) == [], "say in ACCESS who may use these"
    assert sorted(ACCESS.keys() - named) == [], "these are no addresses any more"


def build_url(name: str, arguments: list[str], things: dict[str, Model]) -> str:
    """Return an address with the rows that its arguments refer to."""
    meant = {
        "raffle_id": "raffles_raffle",
        "order_id": "raffles_order",
        "proof_id": "raffles_paymentproof",
        "contact_id": "whatsapp_whatsappcontact",
        "alarm_id": "whatsapp_alarm",
        "delivery_id": "events_eventdelivery",
        "endpoint_id": "events_eventendpoint",
        "token_id": "api_apitoken",
        "number_id": "whatsapp_businessnumber",
        "user_id": "auth_user",
        "id": "auth_user",
        **dict.fromkeys(("position", "prize_id", "reading_id", "result_id"), "raffles_order"),
    }
    owner = "_".join(name.split("_")[:2])  # the model that the page belongs to
    found = {key: things[meant.get(key, owner)].pk for key in arguments}
    return reverse(f"admin:{name}", kwargs=found)


@pytest.mark.acceptance
@pytest.mark.same_everywhere
@pytest.mark.usefixtures("blank_pages")
def test_every_page_and_button_is_for_its_roles_alone() -> None:
    """Request everything with every role: 403 for roles without access, anything else with it."""
    browsers, things = log_in_every_role(), create_every_row()
    wrong = []
    for name, arguments in iterate_urls():
        looks, acts = ACCESS.get(name, (None, None))
        for method, may in (("GET", looks), ("POST", acts)):
            for letter, browser in browsers.items() if may is not None else ():
                if letter == "O" and may not in {"", "O"}:
                    continue  # whatever others may do, a superuser may
                address = build_url(name, arguments, things)
                answer = browser.generic(method, address)
                if answer.streaming:
                    answer.getvalue()  # otherwise its file stays open
                if (answer.status_code == 403) == (letter in str(may)):
                    wrong.append(f"{letter} {method} {address}: {answer.status_code}")
    assert wrong == []


class TestRoles:
    def test_are_made_by_the_migrations_with_all_they_may_do(self) -> None:
        roles.grant_role_permissions(apps)  # an earlier test may have emptied the tables

        for role in roles.ROLES:
            group = Group.objects.get(name=role.name)
            may = group.permissions.select_related("content_type")
            assert {f"{p.content_type.app_label}.{p.codename}" for p in may} == role.permissions

    def test_are_made_again_without_taking_away_what_a_seller_added(self) -> None:
        roles.grant_role_permissions(apps)
        more = Permission.objects.get(codename="view_user")
        Group.objects.get(name="Auditor").permissions.add(more)

        roles.grant_role_permissions(apps)

        assert Group.objects.filter(name="Auditor", permissions=more).count() == 1
        assert Group.objects.filter(name="Auditor").count() == 1

    @pytest.mark.same_everywhere
    def test_an_auditor_may_change_nothing(self) -> None:
        changing = {p for p in roles.AUDITOR.permissions if not p.split(".")[1].startswith("view_")}

        assert changing == {"raffles.export_order"}


@pytest.mark.same_everywhere
class TestPeople:
    FORM: Final = {
        "username": "rita",
        "email": "new@example.com",
        "password1": "a-long-enough-word",
        "password2": "a-long-enough-word",
    }

    def test_who_is_new_has_the_chosen_role_and_may_log_in(self, owner: Client) -> None:
        roles.grant_role_permissions(apps)
        reviewer = Group.objects.get(name="Reviewer")

        owner.post(reverse("admin:auth_user_add"), self.FORM | {"groups": [reviewer.pk]})

        rita = User.objects.get(username="rita")
        assert (rita.is_staff, list(rita.groups.all())) == (True, [reviewer])
        assert rita.email == "new@example.com"
        assert rita.has_perm("raffles.change_order")

    def test_cannot_make_themselves_more_than_they_are(self, client: Client) -> None:
        boss = User.objects.create_superuser("olga")
        clerk = sample_data.create_user("clerk", "change_user", "view_user")
        client.force_login(clerk)
        own = reverse("admin:auth_user_change", args=[clerk.pk])

        client.post(
            own, {"username": "clerk", "is_active": "on", "is_superuser": "on", "groups": [1]}
        )
        others = client.post(reverse("admin:auth_user_password_change", args=[boss.pk]), {})

        clerk.refresh_from_db()
        assert (clerk.is_superuser, clerk.groups.count()) == (False, 0)
        assert others.status_code == 403

    def test_who_did_something_is_not_deleted_but_kept_from_logging_in(self, owner: Client) -> None:
        active, idle = sample_data.create_user("rita"), sample_data.create_user("ida")
        LogEntry.objects.create(user=active, object_repr="x", action_flag=CHANGE)
        for person in (active, idle):
            owner.post(reverse("admin:auth_user_delete", args=[person.pk]), {"post": "yes"})

        page = owner.get(reverse("admin:auth_user_change", args=[active.pk])).content.decode()
        assert list(User.objects.filter(username__in=["rita", "ida"])) == [active]
        assert "is not deleted, because what rita did must keep its name" in page

    @pytest.mark.parametrize(("kind", "stays"), [(ActorKind.STAFF, True), (ActorKind.TOKEN, False)])
    def test_what_a_token_with_the_users_key_did_does_not_keep_the_user(
        self, owner: Client, kind: ActorKind, stays: bool
    ) -> None:
        person = sample_data.create_user("ida")
        OrderEvent.objects.create(
            order=sample_data.place_order(),
            action=OrderAction.PAID,
            actor_kind=kind,
            actor_id=str(person.pk),
            at=NOON,
        )

        owner.post(reverse("admin:auth_user_delete", args=[person.pk]), {"post": "yes"})

        assert User.objects.filter(pk=person.pk).exists() is stays
