"""The file of a payment proof, as staff and programs are sent it."""

from django.http.response import HttpResponseBase

from backoffice.ui import file_responses
from shared.raffles.models import PaymentProof


def build_proof_file_response(proof: PaymentProof) -> HttpResponseBase:
    """Send a proof's file under a tidy name: its order's code and its own id.

    Raises:
        Http404: the storage has not got it.

    """
    name = f"{proof.order or 'proof'}-{proof.pk}"
    return file_responses.build_file_response(
        proof.file, content_type=proof.content_type, name=name
    )
