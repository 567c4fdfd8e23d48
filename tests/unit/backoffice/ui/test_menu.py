import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.test.utils import override_script_prefix
from django.urls import resolve, reverse

from backoffice.ui.menu import MENU_GROUPS, MenuEntry, build_menu

ENTRIES = [entry for _, entries in MENU_GROUPS for entry in entries]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_an_entry_leads_to_its_page(entry: MenuEntry) -> None:
    assert resolve(entry.address).view_name == f"{entry.namespace}{entry.view}"


def test_addresses_follow_the_folder_that_the_site_is_served_in() -> None:
    [dashboard, *_] = ENTRIES
    plain = dashboard.address

    with override_script_prefix("/shop/"):
        assert dashboard.address == f"/shop{plain}"
    assert dashboard.address == plain


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_entry_of_the_page_is_marked_and_no_other(entry: MenuEntry) -> None:
    request = RequestFactory().get(entry.address)
    request.user = User(is_superuser=True)

    groups = build_menu(request)

    assert [each.name for group in groups for each in group.entries if each.here] == [entry.name]


def test_a_page_below_a_list_belongs_to_its_entry() -> None:
    request = RequestFactory().get(reverse("admin:raffles_order_change", args=[1]))
    request.user = User(is_superuser=True)

    shown = [each for group in build_menu(request) for each in group.entries if each.here]

    assert [each.name for each in shown] == ["Orders"]
