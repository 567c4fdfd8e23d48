"""Advice on alarms: the steps to take for each kind of alarm."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from shared.whatsapp.graph_errors import judge_send_error
from shared.whatsapp.models import Alarm


@dataclass(frozen=True, slots=True)
class AlarmAdvice:
    """What to do about an alarm.

    Attributes:
        steps: sentences in order.
        where: label and URL of the page to do it on.

    """

    steps: Sequence[str]
    where: tuple[str, str] | None = None


def build_alarm_advice(alarm: Alarm) -> AlarmAdvice:
    """Return the advice for an alarm; an unknown kind gets general advice."""
    kind, _, rest = alarm.key.partition(":")
    build_advice = ADVICE_BUILDERS.get(kind)
    return _GENERAL_ADVICE if build_advice is None else build_advice(rest)


_GENERAL_ADVICE: Final = AlarmAdvice(
    (
        "Read the details below.",
        "When it is dealt with, mark it as resolved.",
    )
)


def _advise_on_paused_number(_: str) -> AlarmAdvice:
    return AlarmAdvice(
        (
            "Do what the reason below asks for, in WhatsApp Manager or in the settings.",
            (
                "Then press “Try now” on the page of the number, or wait a minute: one message a "
                "minute tries whether it is over."
            ),
            (
                "When a message goes through, this alarm resolves itself and all that waited "
                "is sent in order."
            ),
        ),
        ("Business numbers", reverse("admin:whatsapp_businessnumber_changelist")),
    )


def _advise_on_unsent_messages(code: str) -> AlarmAdvice:
    known = (
        judge_send_error(code=int(code), http_status=None).explanation if code.isdecimal() else ""
    )
    return AlarmAdvice(
        tuple(
            filter(
                None,
                (
                    known,
                    "Open the failed messages: send them again, or write to the buyer by hand.",
                    "When every buyer knows, mark this as resolved.",
                ),
            )
        ),
        (
            "Failed messages",
            reverse("admin:whatsapp_outboundmessage_changelist") + "?status=FAILED",
        ),
    )


def _advise_on_refused_messages(_: str) -> AlarmAdvice:
    return AlarmAdvice(
        (
            "Look at the number's quality in WhatsApp Manager.",
            "Nothing is lost: messages wait and are tried again by themselves.",
            "This alarm resolves itself as soon as a message goes through.",
        ),
        (
            "Messages that wait",
            reverse("admin:whatsapp_outboundmessage_changelist") + "?status=QUEUED",
        ),
    )


def _advise_on_unreachable_meta(_: str) -> AlarmAdvice:
    return AlarmAdvice(
        (
            (
                "Check the internet connection of the gateway's machine, and Meta's status page "
                "(metastatus.com)."
            ),
            "Nothing is lost: messages wait and are sent in order once the connection is back.",
            "This alarm resolves itself as soon as a message goes through.",
        ),
        (
            "Messages that wait",
            reverse("admin:whatsapp_outboundmessage_changelist") + "?status=QUEUED",
        ),
    )


def _advise_on_failed_inbound_message(message: str) -> AlarmAdvice:
    steps = (
        "Read what the buyer wrote. They got an apology and wait for a person.",
        "Press “Answer again” to let the bot try once more, or write to them by hand.",
        "If it fails again, report it with the error shown there; then mark this as resolved.",
    )
    if not message.isdecimal():
        return AlarmAdvice(steps)
    page = reverse("admin:whatsapp_inboundmessage_change", args=[message])
    return AlarmAdvice(steps, ("The message", page))


def _advise_on_lost_answer(contact: str) -> AlarmAdvice:
    return _advise_on_chat(
        contact,
        "Open the chat: the message says why it did not arrive.",
        "Write again, or reach the buyer in another way if their 24 h window is closed.",
        "Once they know, mark this as resolved.",
    )


def _advise_on_flood(contact: str) -> AlarmAdvice:
    return _advise_on_chat(
        contact,
        "The buyer was told once to wait a minute. After a quiet minute they are answered again.",
        "If it is no buyer, block the contact: its receipts are kept all the same.",
        "Then mark this as resolved.",
    )


def _advise_on_chat_loop(contact: str) -> AlarmAdvice:
    return _advise_on_chat(
        contact,
        "Read the chat. If a person is lost in it, write to them by hand.",
        "If it is another bot, block the contact.",
        "The bot answers again by itself what it understands; then mark this as resolved.",
    )


def _advise_on_chat(contact: str, *steps: str) -> AlarmAdvice:
    if not contact.isdecimal():
        return AlarmAdvice(steps)
    page = reverse("admin:whatsapp_whatsappcontact_change", args=[contact])
    return AlarmAdvice(steps, ("The chat", page))


def _advise_on_unknown_business_number(_: str) -> AlarmAdvice:
    return AlarmAdvice(
        (
            "If the number is yours, add its id to META_PHONE_NUMBER_ID and restart the gateway.",
            "If not, unsubscribe the app from that account in Meta's App Dashboard.",
            "Then mark this as resolved.",
        ),
        ("Business numbers", reverse("admin:whatsapp_businessnumber_changelist")),
    )


def _advise_on_hidden_proof(_: str) -> AlarmAdvice:
    return AlarmAdvice(
        (
            (
                "Give the system user of the access token the WhatsApp account with the permission "
                "whatsapp_business_messaging in Meta's Business settings."
            ),
            (
                "Nothing is lost so far: the file is tried again for about a day, then the buyer "
                "is asked for another one."
            ),
            "When the proof has its picture, mark this as resolved.",
        ),
        ("Payment proofs", reverse("admin:raffles_paymentproof_changelist")),
    )


def _advise_on_unstored_files(_: str) -> AlarmAdvice:
    return AlarmAdvice(
        (
            (
                "Ask whoever runs the program to make room on the disk of MEDIA_ROOT (its folder "
                "“renditions” may be emptied), or to let the gateway write there."
            ),
            (
                "Nothing is lost so far: the files are tried again every few minutes, and Meta "
                "keeps them for seven days."
            ),
            "This alarm resolves itself as soon as a file is stored.",
        ),
        ("Payment proofs", reverse("admin:raffles_paymentproof_changelist")),
    )


def _advise_on_same_person(pair: str) -> AlarmAdvice:
    steps = (
        "Open the contact and compare the two: names, orders, and what they wrote last.",
        "If it is one person, join them there. It can be undone until they write again.",
        "If not, say so there; phone numbers are given to new owners. Either resolves this alarm.",
    )
    first, _, _ = pair.partition(":")
    if not first.isdecimal():
        return AlarmAdvice(steps)
    page = reverse("admin:whatsapp_whatsappcontact_change", args=[first])
    return AlarmAdvice(steps, ("The contact", page))


def _advise_on_account_notice(_: str) -> AlarmAdvice:
    return AlarmAdvice(
        (
            "Read what Meta says, and look into WhatsApp Manager and Business Support Home.",
            "When it is dealt with, mark this as resolved.",
        ),
        (
            "Account notices",
            reverse("admin:whatsapp_accountnotice_changelist") + "?attention=yes",
        ),
    )


def _advise_on_unreadable_item(_: str) -> AlarmAdvice:
    return AlarmAdvice(
        (
            "Nothing is lost: the bytes are kept.",
            (
                "Report it with the beginning shown on its page, so that the program learns it; "
                "then mark this as resolved."
            ),
        ),
        ("Unreadable items", reverse("admin:whatsapp_unreadableitem_changelist")),
    )


def _advise_on_message_without_sender(_: str) -> AlarmAdvice:
    return AlarmAdvice(
        (
            "The message is kept among the messages in, but names nobody who could be answered.",
            "Nothing can be done about it; mark this as resolved.",
        ),
        ("Messages in", reverse("admin:whatsapp_inboundmessage_changelist")),
    )


def _advise_on_failed_expiry(order: str) -> AlarmAdvice:
    return _advise_on_order(
        order,
        "The order keeps its numbers although its time is over.",
        "When the order has ended, mark this as resolved.",
    )


def _advise_on_failed_raffle_change(order: str) -> AlarmAdvice:
    return _advise_on_order(
        order,
        "Its raffle was called off or its draw moved, and this order stayed as it was.",
        "Tell its buyer by hand; when the order is right, mark this as resolved.",
    )


def _advise_on_order(order: str, problem: str, end: str) -> AlarmAdvice:
    steps = (
        problem,
        (
            "Ask whoever runs the program to start “manage check_inventory”, which tells what is "
            "wrong with it."
        ),
        end,
    )
    if not order.isdecimal():
        return AlarmAdvice(steps)
    return AlarmAdvice(steps, ("The order", reverse("admin:raffles_order_change", args=[order])))


def _advise_on_undelivered_events(endpoint: str) -> AlarmAdvice:
    steps = (
        (
            "Look at what it answered, and whether the endpoint is on. In n8n the workflow must be "
            "active, and its production address the one given here."
        ),
        "When it answers again, choose what was given up among the deliveries and send it again.",
        "Then mark this as resolved.",
    )
    if not endpoint.isdecimal():
        return AlarmAdvice(steps)
    deliveries = reverse("admin:events_eventdelivery_changelist")
    return AlarmAdvice(
        steps, ("What was given up", f"{deliveries}?status=FAILED&endpoint={endpoint}")
    )


def _advise_on_silent_number(_: str) -> AlarmAdvice:
    return AlarmAdvice(
        (
            (
                "Write “hi” to the number from a phone. If the bot answers, only nobody wrote, and "
                "this alarm resolves itself within a minute."
            ),
            (
                "If not, ask whoever runs the program to start “rafflebot doctor”: it asks Meta "
                "where webhooks go. Look whether the address answers from outside, whether its "
                "certificate is valid, and whether the proxy lets /webhook through."
            ),
            (
                "Meta repeats for seven days what it could not deliver, but not what it was not "
                "asked to deliver. If such a silence is usual for you, set WEBHOOK_SILENCE_HOURS "
                "to more hours."
            ),
        ),
        ("Business numbers", reverse("admin:whatsapp_businessnumber_changelist")),
    )


def _advise_on_staff_mail(user: str) -> AlarmAdvice:
    steps = (
        (
            "If the mail server cannot be reached, check EMAIL_HOST and its companions with "
            "“manage sendtestemail”."
        ),
        "If it refuses the address, correct the address of this person.",
        (
            "Nothing is lost: it is tried again by itself. This alarm resolves itself as soon as "
            "an e-mail goes through."
        ),
    )
    if not user.isdecimal():
        return AlarmAdvice(steps)
    return AlarmAdvice(steps, ("The person", reverse("admin:auth_user_change", args=[user])))


def _advise_on_backlog(_: str) -> AlarmAdvice:
    return AlarmAdvice(
        (
            "Nothing is lost: the messages are kept, and they are answered in order.",
            "Look at the log and the processor of the gateways.",
            "Restart a gateway that hangs, or start another one on the same PostgreSQL.",
            "When the messages are answered, this alarm resolves itself.",
        ),
        (
            "Messages in",
            reverse("admin:whatsapp_inboundmessage_changelist") + "?status=RECEIVED",
        ),
    )


ADVICE_BUILDERS: Final[Mapping[str, Callable[[str], AlarmAdvice]]] = {
    "paused": _advise_on_paused_number,
    "not_sent": _advise_on_unsent_messages,
    "refused": _advise_on_refused_messages,
    "unreachable": _advise_on_unreachable_meta,
    "backlog": _advise_on_backlog,
    "inbound_failed": _advise_on_failed_inbound_message,
    "answer_lost": _advise_on_lost_answer,
    "flood": _advise_on_flood,
    "chat_loop": _advise_on_chat_loop,
    "unknown_number": _advise_on_unknown_business_number,
    "proof_hidden": _advise_on_hidden_proof,
    "files_not_stored": _advise_on_unstored_files,
    "same_person": _advise_on_same_person,
    "notice": _advise_on_account_notice,
    "unreadable": _advise_on_unreadable_item,
    "message_without_sender": _advise_on_message_without_sender,
    "expiry_failed": _advise_on_failed_expiry,
    "raffle_change_failed": _advise_on_failed_raffle_change,
    "events_undelivered": _advise_on_undelivered_events,
    "staff_mail": _advise_on_staff_mail,
    "silent": _advise_on_silent_number,
}
"""Advice by the part of an alarm's key before the colon; the part after it is the argument."""
