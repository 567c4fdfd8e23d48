"""Matching of senders with contacts by user id, earlier user id and phone number.

Source: Meta's page "Business-scoped user ids".
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from shared.core.statements.compiled_queries import CompiledQuery, IsIn
from shared.whatsapp.models import ContactAlias, WhatsAppContact

_NAME_LENGTH: Final = 150


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender named in a message.

    Attributes:
        user_id: the business-scoped user id; the new one if there is a `previous_user_id`.
        wa_id: the phone number without `+`; the old one if there is a `new_wa_id`.
        wrote_at: the time of the message, since only a later one replaces a phone number.
        previous_user_id: the old user id, if the message announces a new one.
        new_wa_id: the new phone number, if the message announces one.

    """

    phone_number_id: str
    user_id: str | None
    wa_id: str | None
    parent_user_id: str = ""
    profile_name: str = ""
    username: str = ""
    wrote_at: datetime | None = None
    previous_user_id: str | None = None
    new_wa_id: str | None = None

    @property
    def is_announcement(self) -> bool:
        """Whether Meta announces new ids of somebody, who did not write."""
        return bool(self.previous_user_id or self.new_wa_id)

    @property
    def has_key(self) -> bool:
        """Whether there is a business number, and any key to identify the sender."""
        return bool(self.phone_number_id and (self.user_id or self.wa_id or self.previous_user_id))


@dataclass(slots=True, eq=False)
class KnownContact:
    """A contact during matching: its values, and the changes to write."""

    phone_number_id: str
    id: int | None
    user_id: str | None
    wa_id: str | None
    parent_user_id: str
    profile_name: str
    username: str
    identity_conflict: bool
    last_inbound_at: datetime | None
    changes: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    new_aliases: list[str] = field(default_factory=list)

    def record_changes(self, **values: Any) -> None:
        """Set values, and record those that differ as changes to write."""
        for name, value in values.items():
            if getattr(self, name) != value:
                setattr(self, name, value)
                self.changes[name] = value

    @property
    def stored_id(self) -> int:
        """The id of a stored contact.

        Raises:
            LookupError: the contact is not stored yet.

        """
        if self.id is None:
            raise LookupError("a contact that is not stored yet has no id")
        return self.id

    @property
    def has_changes(self) -> bool:
        """Whether the contact is new or has changes to write."""
        return self.id is None or bool(self.changes or self.new_aliases or self.names)


class ConflictReason(StrEnum):
    """The reason why two contacts may be the same person."""

    PHONE_CHANGED = "WhatsApp says that the phone number of one became that of the other."
    USER_ID_CHANGED = "WhatsApp says that the user id of one became that of the other."
    MESSAGE = "A message came with the user id of one and the phone number of the other."
    DELIVERY = "WhatsApp delivered a message to one under the user id of the other."


@dataclass(frozen=True, slots=True)
class ContactConflict:
    """Two contacts to which the keys of one sender belong.

    Attributes:
        current: the one that has the ids which WhatsApp announced; None if it announced none.

    """

    known: KnownContact
    other: KnownContact
    reason: ConflictReason
    current: KnownContact | None = None


@dataclass(frozen=True, slots=True)
class ContactMatches:
    """The contacts of some senders.

    Attributes:
        contacts: a contact for each sender, in their order; None for one without any key, and for
            an announcement about somebody unknown.
        changed: the contacts to create or update.
        conflicts: pairs of contacts that may be the same person.

    """

    contacts: list[KnownContact | None]
    changed: list[KnownContact]
    conflicts: list[ContactConflict] = field(default_factory=list)


_CONTACT_COLUMNS: Final = (
    "phone_number_id",
    "id",
    "user_id",
    "wa_id",
    "parent_user_id",
    "profile_name",
    "username",
    "identity_conflict",
    "last_inbound_at",
)

_CONTACTS_BY_USER_ID: Final = CompiledQuery(
    lambda: (
        WhatsAppContact.objects.filter(IsIn("phone_number_id", "numbers"), IsIn("user_id", "keys"))
        .order_by()
        .values_list(*_CONTACT_COLUMNS)
    )
)
_CONTACTS_BY_WA_ID: Final = CompiledQuery(
    lambda: (
        WhatsAppContact.objects.filter(IsIn("phone_number_id", "numbers"), IsIn("wa_id", "keys"))
        .order_by()
        .values_list(*_CONTACT_COLUMNS)
    )
)
_CONTACTS_BY_ALIAS: Final = CompiledQuery(
    lambda: (
        ContactAlias.objects.filter(IsIn("phone_number_id", "numbers"), IsIn("user_id", "keys"))
        .order_by()
        .values_list("user_id", *(f"contact__{name}" for name in _CONTACT_COLUMNS))
    )
)
"""These find more rows than the keys if business numbers share a user id or phone number."""


def match_contacts(senders: Sequence[Sender]) -> ContactMatches:
    """Return the contact of each sender, new ones included, without writing anything.

    A contact that is found by one key gets the other key, too, but only if that belongs to nobody
    else, since phone numbers are recycled. If the keys of a sender belong to two contacts, both are
    flagged, nothing is merged, and the contact with the user id is used. An announcement of new
    ids makes no new contact.
    """
    directory = _ContactDirectory.from_senders(senders)
    # Senders with both keys come first, or one person might become two contacts.
    for sender in sorted(dict.fromkeys(senders), key=_has_one_key):
        if sender.has_key:
            directory.resolve_sender(sender)
    return ContactMatches(
        contacts=[directory.resolved.get(sender) for sender in senders],
        changed=[known for known in directory.list_contacts() if known.has_changes],
        conflicts=directory.conflicts,
    )


type _ContactKey = tuple[str, str]
"""A business number, and a user id or phone number of somebody who wrote to it."""


def _fetch_rows(query: CompiledQuery[Any], keys: Collection[_ContactKey]) -> list[Any]:
    if not keys:
        return []
    return query.fetch(
        numbers={phone_number_id for phone_number_id, _ in keys}, keys=[key for _, key in keys]
    )


def _has_one_key(sender: Sender) -> bool:
    return not (sender.user_id and sender.wa_id)


class _ContactDirectory:
    """The contacts of a batch, by each of their keys."""

    def __init__(self) -> None:
        self.by_user_id: dict[_ContactKey, KnownContact] = {}
        self.by_alias: dict[_ContactKey, KnownContact] = {}
        self.by_wa_id: dict[_ContactKey, KnownContact] = {}
        self.resolved: dict[Sender, KnownContact] = {}
        self.conflicts: list[ContactConflict] = []

    @classmethod
    def from_senders(cls, senders: Collection[Sender]) -> "_ContactDirectory":
        """Load every contact that has a key of these senders, in one to three statements."""
        directory = cls()
        by_user_id, by_wa_id = set(), set()
        for sender in senders:
            phone_number_id = sender.phone_number_id
            for user_id in filter(None, (sender.user_id, sender.previous_user_id)):
                by_user_id.add((phone_number_id, user_id))
            for wa_id in filter(None, (sender.wa_id, sender.new_wa_id)):
                by_wa_id.add((phone_number_id, wa_id))
        directory._load_contacts(_CONTACTS_BY_USER_ID, by_user_id)
        directory._load_aliases(by_user_id - directory.by_user_id.keys())
        # A phone number that was loaded with its user id, as nearly always, has no other contact.
        directory._load_contacts(_CONTACTS_BY_WA_ID, by_wa_id - directory.by_wa_id.keys())
        return directory

    def resolve_sender(self, sender: Sender) -> None:
        phone_number_id = sender.phone_number_id
        known = self._find_by_user_id(phone_number_id, sender.user_id)
        former = self._find_by_user_id(phone_number_id, sender.previous_user_id)
        by_phone = self.by_wa_id.get((phone_number_id, sender.wa_id or ""))
        known = known or former or self._find_by_phone_or_create(sender, by_phone)
        if known is None:
            return
        for other in (former, by_phone):
            if other is not None and other is not known:
                self._flag_conflict(known, other, sender)
        self._fill_in(known, sender)
        self.resolved[sender] = known

    def _find_by_user_id(self, phone_number_id: str, user_id: str | None) -> KnownContact | None:
        key = (phone_number_id, user_id or "")
        return self.by_user_id.get(key) or self.by_alias.get(key)

    def _flag_conflict(self, known: KnownContact, other: KnownContact, sender: Sender) -> None:
        known.record_changes(identity_conflict=True)
        other.record_changes(identity_conflict=True)
        reason, current = ConflictReason.MESSAGE, None
        if sender.new_wa_id is not None:
            reason = ConflictReason.PHONE_CHANGED
            current = other if other.wa_id == sender.new_wa_id else known
        elif sender.previous_user_id is not None:
            reason, current = ConflictReason.USER_ID_CHANGED, known
        self.conflicts.append(ContactConflict(known, other, reason, current))

    def _find_by_phone_or_create(
        self, sender: Sender, by_phone: KnownContact | None
    ) -> KnownContact | None:
        """Return the contact with the phone number, or a new one if it changed hands.

        Returns:
            None if the sender is an announcement about nobody we know.

        """
        if by_phone is not None and (sender.user_id is None or by_phone.user_id is None):
            return by_phone
        if sender.is_announcement:
            now_there = self.by_wa_id.get((sender.phone_number_id, sender.new_wa_id or ""))
            is_stranger = now_there is not None and sender.user_id and now_there.user_id
            return None if is_stranger else now_there
        return KnownContact(
            phone_number_id=sender.phone_number_id,
            id=None,
            user_id=None,
            wa_id=None,
            parent_user_id=sender.parent_user_id,
            profile_name=sender.profile_name[:_NAME_LENGTH],
            username=sender.username[:_NAME_LENGTH],
            identity_conflict=False,
            last_inbound_at=None,
        )

    def _fill_in(self, known: KnownContact, sender: Sender) -> None:
        self._set_user_id(known, sender)
        self._set_phone(known, sender)
        if sender.parent_user_id:
            known.record_changes(parent_user_id=sender.parent_user_id)
        for name in ("profile_name", "username"):
            value = getattr(sender, name)[:_NAME_LENGTH]
            if value and value != getattr(known, name):
                known.names[name] = value

    def _set_user_id(self, known: KnownContact, sender: Sender) -> None:
        phone_number_id, user_id, previous = (
            sender.phone_number_id,
            sender.user_id,
            sender.previous_user_id,
        )
        if previous and (phone_number_id, previous) not in self.by_alias and previous != user_id:
            if known.user_id != previous and (phone_number_id, previous) in self.by_user_id:
                return  # the old id still belongs to another contact: flagged, not taken away
            known.new_aliases.append(previous)
            self.by_alias[phone_number_id, previous] = known
        wanted = user_id or (previous if known.user_id is None else None)
        is_free = wanted is not None and (phone_number_id, wanted) not in self.by_user_id
        is_alias = (phone_number_id, wanted or "") in self.by_alias
        if wanted and is_free and (known.user_id is None or previous) and not is_alias:
            self.by_user_id.pop((phone_number_id, known.user_id or ""), None)
            known.record_changes(user_id=wanted)
            self.by_user_id[phone_number_id, wanted] = known

    def _set_phone(self, known: KnownContact, sender: Sender) -> None:
        phone_number_id = sender.phone_number_id
        wanted = sender.new_wa_id or sender.wa_id
        if wanted is None or wanted == known.wa_id:
            return
        owner = self.by_wa_id.get((phone_number_id, wanted))
        if owner is not None:
            if owner is not known:
                self._flag_conflict(known, owner, sender)
            return
        if known.wa_id is None or sender.new_wa_id or _is_newer(sender, known):
            self.by_wa_id.pop((phone_number_id, known.wa_id or ""), None)
            known.record_changes(wa_id=wanted)
            self.by_wa_id[phone_number_id, wanted] = known
            if sender.new_wa_id and sender.user_id is None:
                self._retire_user_id(known)

    def _retire_user_id(self, known: KnownContact) -> None:
        """Keep the user id as an earlier one, since Meta makes a new one for a new phone number.

        The next message from the phone number brings it.
        """
        if known.user_id is not None:
            known.new_aliases.append(known.user_id)
            self.by_alias[known.phone_number_id, known.user_id] = known
            self.by_user_id.pop((known.phone_number_id, known.user_id), None)
            known.record_changes(user_id=None)

    def _load_contacts(self, query: CompiledQuery[Any], keys: Collection[_ContactKey]) -> None:
        for row in _fetch_rows(query, keys):
            self._index_contact(KnownContact(*row))

    def _load_aliases(self, keys: Collection[_ContactKey]) -> None:
        for user_id, *row in _fetch_rows(_CONTACTS_BY_ALIAS, keys):
            known = self._index_contact(KnownContact(*row))
            self.by_alias[known.phone_number_id, user_id] = known

    def _index_contact(self, known: KnownContact) -> KnownContact:
        """Index a contact by its keys; return the contact that is already there, if any."""
        if known.user_id:
            known = self.by_user_id.setdefault((known.phone_number_id, known.user_id), known)
        if known.wa_id:
            known = self.by_wa_id.setdefault((known.phone_number_id, known.wa_id), known)
        return known

    def list_contacts(self) -> Iterable[KnownContact]:
        """Return each contact once, also one that lost a key to another."""
        known = (self.by_user_id, self.by_wa_id, self.by_alias, self.resolved)
        return dict.fromkeys(one for index in known for one in index.values())


def _is_newer(sender: Sender, known: KnownContact) -> bool:
    """Return whether the phone number is newer than the contact's last message."""
    if sender.wrote_at is None:
        return False
    return known.last_inbound_at is None or sender.wrote_at > known.last_inbound_at
