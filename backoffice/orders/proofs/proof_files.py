"""Responses with the file of a payment proof, for pages and the API."""

from django.http.response import HttpResponseBase

from backoffice.ui import file_responses
from shared.raffles.models import PaymentProof


def build_proof_file_response(proof: PaymentProof) -> HttpResponseBase:
    """Return the file of a proof, named after the code of its order and its own id.

    Raises:
        Http404: The file is not in the storage.

    """
    name = f"{proof.order or 'proof'}-{proof.pk}"
    return file_responses.build_file_response(
        proof.file, content_type=proof.content_type, name=name
    )
