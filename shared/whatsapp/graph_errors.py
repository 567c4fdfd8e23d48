"""Error codes of the Graph API: the consequence for a message, and advice for staff.

Source: Meta's page "Error codes" of the WhatsApp Business Platform. The HTTP
status counts only if there is no code or an unknown one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final


class FailureReaction(StrEnum):
    """The consequence of a message that could not be sent."""

    RETRY = "RETRY"  # send this message again later
    RETRY_PAIR = "RETRY_PAIR"  # slow down messages to this buyer
    RETRY_NUMBER = "RETRY_NUMBER"  # slow down all messages of the business number
    UNKNOWN = "UNKNOWN"  # it may have been sent: wait for its status before sending it again
    OUTSIDE_WINDOW = "OUTSIDE_WINDOW"  # more than 24 hours since the buyer wrote
    FAIL = "FAIL"  # sending it again would not help
    PAUSE = "PAUSE"  # the business number cannot send until somebody acts


@dataclass(frozen=True, slots=True)
class Judgement:
    """The consequence of an error, with an explanation.

    Attributes:
        reaction: the reaction of the outbox.
        explanation: what the error means and what to do, for staff of the back office.
        alarm: whether it sounds an alarm.
        wait: the shortest wait before the next attempt.

    """

    reaction: FailureReaction
    explanation: str
    alarm: bool = False
    wait: timedelta = timedelta(0)


def judge_send_error(
    *,
    code: int | None,
    http_status: int | None,
    subcode: int | None = None,
    transient: bool = False,
) -> Judgement:
    """Return the consequence of a message that could not be sent.

    Args:
        code: `error.code` of the answer or of a status webhook; None if it has none.
        http_status: the status of the answer; None for a status webhook.
        subcode: `error.error_subcode`; None if it has none.
        transient: `error.is_transient`, which makes any code retryable.

    """
    known = _find_known_judgement(code, subcode)
    if known is None:
        judgement = _judge_http_status(http_status, code=code)
    elif known.reaction is FailureReaction.FAIL and http_status == _TOO_MANY_REQUESTS:
        judgement = _THROTTLED
    else:
        judgement = known
    if transient and judgement.reaction in (FailureReaction.FAIL, FailureReaction.PAUSE):
        return Judgement(FailureReaction.RETRY, judgement.explanation)
    return judgement


_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)

_TOO_MANY_REQUESTS: Final = 429
_REQUEST_TIMEOUT: Final = 408
_MESSAGE_ERROR_STATUSES: Final = frozenset({400, 413, 414, 415, 422})


def _retry(explanation: str, *, wait: timedelta = _SECOND) -> Judgement:
    return Judgement(FailureReaction.RETRY, explanation, wait=wait)


def _slow_down(explanation: str, *, wait: timedelta, alarm: bool = False) -> Judgement:
    return Judgement(FailureReaction.RETRY_NUMBER, explanation, alarm=alarm, wait=wait)


def _fail(explanation: str, *, alarm: bool = False) -> Judgement:
    return Judgement(FailureReaction.FAIL, explanation, alarm=alarm)


def _pause(explanation: str) -> Judgement:
    return Judgement(FailureReaction.PAUSE, explanation, alarm=True)


_HOW_TO_RENEW: Final = (
    "Make a new system user token, set META_ACCESS_TOKEN and restart the gateway."
)
_TOKEN: Final = _pause(f"The access token expired or was withdrawn. {_HOW_TO_RENEW}")
_PERMISSION: Final = _pause(
    "The access token lacks a permission. Give its system user the WhatsApp account and the"
    " permissions whatsapp_business_messaging and whatsapp_business_management."
)
_REGISTRATION: Final = _pause(
    "The business number is not properly registered. Register it again with its PIN in WhatsApp"
    " Manager; after too many tries Meta makes you wait up to 72 hours."
)
_OUR_MISTAKE: Final = _fail(
    "Meta refused the message's content as invalid: a defect of this program. Report it with the"
    " message shown here; the buyer can be written to from a phone.",
    alarm=True,
)
_TEMPLATE: Final = _fail(
    "The message template is missing, paused or was refused. This program sends no templates;"
    " look it up in WhatsApp Manager.",
    alarm=True,
)
_GROUP: Final = _fail("The message was meant for a group, which this program does not serve.")
_MARKETING: Final = _fail("Meta did not deliver it as a marketing message. Try another day.")
_THROTTLED: Final = _slow_down(
    "Meta asked us to slow down. The message is sent later by itself.", wait=5 * _SECOND
)
_UNCERTAIN: Final = Judgement(
    FailureReaction.UNKNOWN,
    "Meta could not say whether the message was sent. Its status is waited for, then it is sent"
    " again.",
)

JUDGEMENT_BY_CODE: Final[Mapping[int, Judgement]] = {
    0: _TOKEN,
    1: _retry("Meta could not handle the request. It is tried again.", wait=10 * _SECOND),
    2: _retry("Meta's service is down for a moment. It is tried again.", wait=5 * _SECOND),
    3: _pause("The Meta app may not use this function. Check the app's products and permissions."),
    4: _slow_down(
        "The Meta app made too many calls this hour. The message is sent later by itself.",
        wait=_MINUTE,
    ),
    10: _PERMISSION,
    33: _pause("The business number was deleted at Meta. Check META_PHONE_NUMBER_ID."),
    100: _OUR_MISTAKE,
    102: _TOKEN,
    190: _TOKEN,
    206: _GROUP,
    368: _pause(
        "Meta blocked the account for a time because of its policy. Read why in Business Support"
        " Home; raffles need Meta's permission."
    ),
    80007: _slow_down(
        "The WhatsApp account made too many calls. The message is sent later by itself.",
        wait=_MINUTE,
    ),
    80008: _slow_down(
        "Too many management calls. The message is sent later by itself.", wait=_MINUTE
    ),
    130403: _fail("Our business blocked this buyer. Unblock them in WhatsApp Manager to write."),
    130429: _THROTTLED,
    130472: _fail("The buyer takes part in an experiment of Meta; this kind is not delivered."),
    130497: _fail(
        "Meta does not let this account write to the buyer's country. Check the account's"
        " restrictions and what is licensed there.",
        alarm=True,
    ),
    131000: _UNCERTAIN,
    131005: _PERMISSION,
    131008: _OUR_MISTAKE,
    131009: _OUR_MISTAKE,
    131016: _retry("A service of Meta is down for a moment. It is tried again.", wait=5 * _SECOND),
    131020: _GROUP,
    131021: _fail("The buyer's number is the business number itself."),
    131026: _fail(
        "WhatsApp could not deliver it: the buyer has no WhatsApp, an old version, or has not"
        " accepted its terms. Reach them another way."
    ),
    131030: _fail(
        "The number is a test number and may write to five listed phones only. Add the buyer's"
        " phone at Meta, or use a real number.",
        alarm=True,
    ),
    131031: _pause(
        "The account is locked, or its PIN is wrong. See Business Support Home and WhatsApp"
        " Manager."
    ),
    131035: _fail("Meta kept a webhook too long and dropped it. Nothing can be done.", alarm=True),
    131036: _fail("It did not reach one of the buyer's devices."),
    131037: _pause("The number needs an approved display name. Ask for one in WhatsApp Manager."),
    131041: _GROUP,
    131042: _pause(
        "Meta cannot charge for messages. Check the payment method in WhatsApp Manager; messages"
        " wait until then."
    ),
    131045: _REGISTRATION,
    131047: Judgement(
        FailureReaction.OUTSIDE_WINDOW,
        "More than 24 hours passed since the buyer last wrote. It is sent when they write again.",
    ),
    131048: _slow_down(
        "Too many of our messages were blocked or reported as spam. Look at the number's quality"
        " in WhatsApp Manager; it is tried again in an hour.",
        wait=_HOUR,
        alarm=True,
    ),
    131049: _MARKETING,
    131050: _fail("The buyer stopped marketing messages. Wait until they write."),
    131051: _OUR_MISTAKE,
    131052: _fail("Meta could not fetch the buyer's file. Ask them to send it again."),
    131053: _retry(
        "Meta could not take our picture. It is tried again; check that PUBLIC_URL can be reached"
        " from outside.",
        wait=10 * _SECOND,
    ),
    131055: _MARKETING,
    131056: Judgement(
        FailureReaction.RETRY_PAIR,
        "Too many messages to this buyer in a short time. It is sent later by itself.",
        wait=_SECOND,
    ),
    131057: _slow_down(
        "Meta is moving the account to a higher throughput, about a minute.", wait=_MINUTE
    ),
    131059: _GROUP,
    131060: _fail("The message is not available at the moment."),
    131062: _fail(
        "This kind of message needs the buyer's phone number, which they hide. Ask them for it."
    ),
    131063: _MARKETING,
    131064: _TEMPLATE,
    131201: _GROUP,
    131202: _GROUP,
    132000: _TEMPLATE,
    132001: _TEMPLATE,
    132005: _TEMPLATE,
    132007: _TEMPLATE,
    132012: _TEMPLATE,
    132015: _TEMPLATE,
    132016: _TEMPLATE,
    132068: _TEMPLATE,
    132069: _retry("The flow is throttled. It is tried again.", wait=_MINUTE),
    133000: _REGISTRATION,
    133004: _retry("A server of Meta is down for a moment. It is tried again.", wait=5 * _SECOND),
    133005: _REGISTRATION,
    133006: _REGISTRATION,
    133008: _REGISTRATION,
    133009: _REGISTRATION,
    133010: _REGISTRATION,
    133015: _REGISTRATION,
    133016: _REGISTRATION,
    134011: _fail(
        "The terms of WhatsApp payments are not accepted. This program uses none.", alarm=True
    ),
    134100: _MARKETING,
    134101: _MARKETING,
    134102: _MARKETING,
    135000: _fail("Meta refused the message without saying why. Look at its details.", alarm=True),
    137000: _fail(
        "The buyer's phone changed its security code. They must write again before we can answer."
    ),
    2494100: _slow_down("The number is in maintenance at Meta.", wait=5 * _MINUTE),
}
"""Every code of Meta's table except the permission codes, 200 to 299."""

_OBJECT_HIDDEN: Final = (100, 33)

JUDGEMENT_BY_SUBCODE: Final[Mapping[tuple[int, int], Judgement]] = {
    _OBJECT_HIDDEN: _pause(
        "Meta does not show the business number to the access token. Give its system user the"
        " WhatsApp account again, with both permissions; or correct META_PHONE_NUMBER_ID."
    ),
    **{
        (code, subcode): _pause(f"{reason} {_HOW_TO_RENEW}")
        for code in (102, 190)
        for subcode, reason in {
            458: "The access token's user removed the Meta app.",
            459: "Meta asks the access token's user to log in and confirm who they are.",
            460: "The access token's user changed their password, which ended the token.",
            463: "The access token expired.",
            464: "The access token's user is not confirmed at Meta.",
            467: "The access token is not valid any more.",
            492: "The access token's user lost their role in the app or the business.",
        }.items()
    },
}
"""Codes that mean something else, or something more exact, with a subcode.

Sources: Meta's pages "Handling errors" of the Graph API, and "Debug access token errors".
"""

_PERMISSION_CODES: Final = range(200, 300)


def is_object_hidden(*, code: int | None, subcode: int | None) -> bool:
    """Return whether Meta does not show an object to the access token, or has none with this id."""
    return (code, subcode) == _OBJECT_HIDDEN


def _find_known_judgement(code: int | None, subcode: int | None) -> Judgement | None:
    if code is None:
        return None
    if subcode is not None and (code, subcode) in JUDGEMENT_BY_SUBCODE:
        return JUDGEMENT_BY_SUBCODE[code, subcode]
    if code in JUDGEMENT_BY_CODE:
        return JUDGEMENT_BY_CODE[code]
    return _PERMISSION if code in _PERMISSION_CODES else None


def _judge_http_status(status: int | None, *, code: int | None) -> Judgement:
    if status == _TOO_MANY_REQUESTS:
        return _THROTTLED
    if status is None and code is not None:
        return _fail(f"Meta reports the unknown error {code}. Look it up on Meta's page.")
    if status is None or status < 300 or status >= 500 or status == _REQUEST_TIMEOUT:  # noqa: PLR2004
        return _UNCERTAIN
    named = f"the unknown error {code}" if code is not None else f"HTTP status {status}"
    if status in _MESSAGE_ERROR_STATUSES:
        return _fail(f"Meta refused the message with {named}. Look at its details.", alarm=True)
    return _pause(
        f"Meta refused the request with {named}. Check META_GRAPH_URL, META_GRAPH_VERSION and"
        " META_ACCESS_TOKEN, and what stands between the gateway and Meta."
    )
