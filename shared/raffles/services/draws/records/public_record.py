"""The public record of a draw: one ZIP with which anyone can verify it; no personal data."""

from importlib import resources
from typing import IO, Final

from shared.raffles import receipt_lines
from shared.raffles.draws.draw_models import SealedList
from shared.raffles.models import Raffle
from shared.raffles.services.draws import receipt_chain
from shared.raffles.services.draws.records import draw_document, record_state, results_page, summary
from shared.raffles.services.draws.records.record_zip import RecordZip

VERIFIER: Final = "verify.py"
_PACKAGE: Final = "shared.raffles.services.draws.records"


def build_public_record(raffle: Raffle) -> IO[bytes]:
    """Return the public record of a raffle, as a temporary file to read from its beginning.

    It holds draw.json, list.txt, chain.txt, rules.txt, summary.json, results.html, verify.py and
    SHA256SUMS. The same state of the raffle gives the same bytes.

    Raises:
        RaffleNotFound: there is no such raffle.
        RaffleNotSealed: it is not sealed; a sealed raffle has a record before it is drawn, too.

    """
    state = record_state.load_record_state(raffle.pk)
    document, counts = draw_document.build_draw_document(state), summary.build_summary(state)
    lines = (line.encode("ascii") for line in receipt_chain.build_lines(raffle.pk))
    with RecordZip() as archive:
        archive.add("draw.json", [draw_document.write_json(document)])
        archive.add("list.txt", [_load_list(raffle.pk)])
        archive.add("chain.txt", lines)
        archive.add("rules.txt", [state.rules.text.encode()])
        archive.add("summary.json", [draw_document.write_json(counts)])
        archive.add("results.html", [results_page.build_results_page(state).encode()])
        archive.add(VERIFIER, [read_verifier()])
        archive.add_checksums("SHA256SUMS")
        return archive.hand_over()


def build_record_name(raffle: Raffle) -> str:
    """Return the file name of a public record: raffle-12-draw.zip."""
    return f"{receipt_lines.build_raffle_reference(raffle.pk)}-draw.zip"


def read_verifier() -> bytes:
    """Return the program that verifies a record, as it goes into each of them."""
    return resources.files(_PACKAGE).joinpath(VERIFIER).read_bytes()


def _load_list(raffle_id: int) -> bytes:
    return bytes(SealedList.objects.values_list("numbers", flat=True).get(raffle=raffle_id))
