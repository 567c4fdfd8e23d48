"""Due e-mails to staff: the claim of each, and the record of what became of it.

A digest is sent between a claim and the record of the result, with no transaction open. If a
process dies in between, the claim ends by itself and another gateway sends it: twice at worst.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from shared.core import retry
from shared.staff_mail import queries, situation
from shared.staff_mail.models import StaffMailbox
from shared.staff_mail.situation import MailRules, Memory, Situation
from shared.whatsapp.services import alarms

CLAIM_DURATION: Final = timedelta(minutes=10)
"""Longer than any conversation with a mail server takes."""
RETRY_BASE: Final = timedelta(minutes=1)
RETRY_CAP: Final = timedelta(hours=1)
PERMISSION_BACKEND: Final = "django.contrib.auth.backends.ModelBackend"
"""The backend that knows permissions; it is asked by name, as gateways have no other."""


@dataclass(frozen=True, slots=True)
class DueMail:
    """An e-mail that one person should get now.

    Attributes:
        mailbox_id: the person's mailbox.
        version: the version of the mailbox that this was decided with.
        user_id: the person.
        username: their user name.
        address: their e-mail address.
        situation: what they are told.

    """

    mailbox_id: int
    version: int
    user_id: int
    username: str
    address: str
    situation: Situation


def list_due_mails(*, rules: MailRules, now: datetime) -> list[DueMail]:
    """Return the e-mails to send now; mailboxes of new recipients are created.

    Recipients are active staff with an e-mail address who may decide about what is told.
    """
    found = queries.load_situation(waiting_since=now - rules.proof_wait, now=now)
    if found.is_quiet:
        return []
    recipients = _load_recipients()
    mailboxes = _load_mailboxes([user for user, _ in recipients])
    due = []
    for user, may in recipients:
        mailbox, told = mailboxes[user.pk], found.restrict(may)
        resting = mailbox.next_try_at is not None and mailbox.next_try_at > now
        if not mailbox.wants_mail or resting:
            continue
        if situation.is_news(told, _read_memory(mailbox), rules=rules, now=now):
            due.append(
                DueMail(mailbox.pk, mailbox.version, user.pk, user.username, user.email, told)
            )
    return due


def claim_mail(mail: DueMail, *, now: datetime) -> bool:
    """Reserve an e-mail for this process; return whether no other process has it."""
    return bool(
        StaffMailbox.objects.filter(
            pk=mail.mailbox_id, version=mail.version, wants_mail=True
        ).update(version=F("version") + 1, next_try_at=now + CLAIM_DURATION)
    )


@transaction.atomic(durable=True)
def record_sent(mail: DueMail, *, now: datetime) -> None:
    """Record that a claimed e-mail was sent, and resolve the alarm about the person's e-mails."""
    told: dict[str, Any] = {
        "told": sorted(mail.situation.keys),
        "sent_at": now,
        "next_try_at": None,
        "failures": 0,
    }
    if proofs := mail.situation.proofs:
        told |= {"told_proofs_until": proofs.newest, "told_proofs_at": now}
    _query_claimed_mailbox(mail).update(version=F("version") + 1, **told)
    alarms.resolve_alarm(_build_alarm_key(mail), by="an e-mail went through", now=now)


@transaction.atomic(durable=True)
def record_failure(mail: DueMail, *, reason: str, now: datetime, jitter: float) -> None:
    """Record that a claimed e-mail could not be sent, and sound the alarm.

    It is tried again after a growing time, with what waits by then.

    Args:
        mail: the claimed e-mail.
        reason: the error in a few words, without the address.
        now: the time of the failure.
        jitter: a random number between 0 and 1.

    """
    failures = StaffMailbox.objects.values_list("failures", flat=True).get(pk=mail.mailbox_id) + 1
    wait = retry.compute_exponential_wait(failures, base=RETRY_BASE, cap=RETRY_CAP)
    _query_claimed_mailbox(mail).update(
        version=F("version") + 1,
        failures=failures,
        next_try_at=now + retry.add_jitter(wait, jitter=jitter),
    )
    alarms.sound_alarm(
        f"staff_mail:{mail.user_id}",
        title=f"E-mails do not reach {mail.username}",
        detail=f"{reason} It is tried again by itself, with what waits by then.",
        now=now,
    )


def wants_mail(user_id: int) -> bool:
    """Return whether a member of staff wants e-mails; they do unless they switched them off."""
    return not StaffMailbox.objects.filter(user_id=user_id, wants_mail=False).exists()


@transaction.atomic(durable=True)
def switch_mail(user_id: int, *, on: bool) -> None:
    """Switch the e-mails to a member of staff on or off."""
    StaffMailbox.objects.get_or_create(user_id=user_id)
    StaffMailbox.objects.filter(user_id=user_id).update(
        wants_mail=on, version=F("version") + 1, next_try_at=None, failures=0
    )


def count_recipients() -> int:
    """Return how many members of staff would get e-mails."""
    silent = set(StaffMailbox.objects.filter(wants_mail=False).values_list("user_id", flat=True))
    return sum(user.pk not in silent for user, _ in _load_recipients())


def _build_alarm_key(mail: DueMail) -> str:
    return f"{queries.OWN_ALARM}:{mail.user_id}"


def _query_claimed_mailbox(mail: DueMail) -> Any:
    return StaffMailbox.objects.filter(pk=mail.mailbox_id, version=mail.version + 1)


def _load_recipients() -> list[tuple[User, Callable[[str], bool]]]:
    """Return the staff with an address and any of the permissions, with a test of each."""
    by_permission = {
        permission: {
            user.pk: user
            for user in User.objects.with_perm(permission, backend=PERMISSION_BACKEND)
            .filter(is_staff=True)
            .exclude(email="")
        }
        for permission in (
            situation.PROOFS_PERMISSION,
            situation.DRAWS_PERMISSION,
            situation.ALARMS_PERMISSION,
        )
    }
    users = {pk: user for users in by_permission.values() for pk, user in users.items()}

    def build_test(user: User) -> Callable[[str], bool]:
        return lambda permission: user.pk in by_permission[permission]

    return [(users[pk], build_test(users[pk])) for pk in sorted(users)]


def _load_mailboxes(users: list[User]) -> dict[int, StaffMailbox]:
    known = {box.user_id: box for box in StaffMailbox.objects.filter(user__in=users)}
    missing = [StaffMailbox(user=user) for user in users if user.pk not in known]
    if missing:
        StaffMailbox.objects.bulk_create(missing, ignore_conflicts=True)
        known = {box.user_id: box for box in StaffMailbox.objects.filter(user__in=users)}
    return known


def _read_memory(mailbox: StaffMailbox) -> Memory:
    return Memory(
        told=frozenset(mailbox.told),
        proofs_until=mailbox.told_proofs_until,
        proofs_at=mailbox.told_proofs_at,
        sent_at=mailbox.sent_at,
    )
