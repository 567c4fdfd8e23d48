"""Sending of one e-mail by Django's mail settings."""

from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException

from django.core.mail import EmailMultiAlternatives

from shared.staff_mail.digest import Digest


class MailNotSent(Exception):
    """The mail server did not take an e-mail; the message says why, without any address."""


def send_digest(digest: Digest, *, address: str) -> None:
    """Send an e-mail; blocks until the mail server has answered.

    Args:
        digest: the words.
        address: the e-mail address of the recipient.

    Raises:
        MailNotSent: it was not sent, as far as is known.

    """
    message = EmailMultiAlternatives(
        digest.subject,
        digest.text,
        to=[address],
        headers={"Auto-Submitted": "auto-generated"},  # RFC 3834: no answer by a machine
    )
    message.attach_alternative(digest.html, "text/html")
    try:
        message.send()
    except (SMTPException, OSError, ValueError) as error:
        raise MailNotSent(_describe_error(error)) from error


def _describe_error(error: Exception) -> str:
    """Return an error in words; what a server says may quote the address, so its code must do."""
    if isinstance(error, SMTPResponseException):
        return f"The mail server answers {error.smtp_code} ({type(error).__name__})."
    if isinstance(error, SMTPRecipientsRefused):
        codes = sorted({str(code) for code, _ in error.recipients.values()})
        return f"The mail server refuses the address ({', '.join(codes)})."
    if isinstance(error, ValueError):
        return f"The e-mail address cannot be written to ({type(error).__name__})."
    return f"The mail server cannot be reached ({type(error).__name__})."
