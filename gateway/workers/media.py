"""Worker that copies payment proofs from Meta into our own storage, before Meta deletes them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched
from secrets import randbelow
from typing import Final

from gateway.database import Database
from gateway.workers.loop import StopSignal, WakeSignal, gather_all
from shared.core import logs, retry
from shared.core.enums import RenditionStatus
from shared.raffles.rendering import renderer
from shared.raffles.rendering.renderer import RendererBusy
from shared.raffles.services.payment_proofs import proof_fetching
from shared.raffles.services.payment_proofs.proof_fetching import ProofFetchJob, UnreadableFile
from shared.use_cases import proof_files
from shared.whatsapp.errors import (
    GraphError,
    GraphRefused,
    MediaCorrupt,
    MediaDamaged,
    MediaError,
    MediaGone,
    MediaProtected,
)
from shared.whatsapp.graph_errors import FailureReaction
from shared.whatsapp.media_files import MediaFile
from shared.whatsapp.services.meta_client import MetaClient

MAX_CONCURRENT_FETCHES: Final = 4
"""Files in memory at the same time, each up to 16 MB."""
FETCH_CLAIM_DURATION: Final = timedelta(minutes=5)
"""Longer than any fetch takes; if the process dies, another one takes the job after that."""
RETRY_BASE: Final = timedelta(seconds=15)
RETRY_CAP: Final = timedelta(hours=1)
MAX_FETCH_ATTEMPTS: Final = 27
"""The waits add up to about 20 hours: Meta keeps a file for 7 days, but after 24 hours the bot may
not ask the buyer for it again."""
MEDIA_LIFETIME: Final = timedelta(days=7)
"""Meta keeps the file of a webhook so long. Source: Meta's page "Media"."""
PAUSED_FETCH_WAIT: Final = timedelta(minutes=5)
"""While no file can be fetched or stored, e.g. with a token that expired or on a full disk."""
MAX_CORRUPT_DOWNLOADS: Final = 2
"""A download that was cut off is tried again; if it is corrupt twice, so is the file."""

MAX_BUSY_ATTEMPTS: Final = 4
"""A file that was fetched is stored after so many attempts, even if it could not be rendered."""
_UNREADABLE: Final[Mapping[RenditionStatus, type[MediaError]]] = {
    RenditionStatus.PROTECTED: MediaProtected,
    RenditionStatus.DAMAGED: MediaDamaged,
}
"""Errors of files that nobody can open, so that the buyer is asked for another one."""

logger = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaWorker:
    """Worker that fetches a few files at a time; a claim keeps two gateways off the same file."""

    database: Database
    client: MetaClient
    outbox_signal: WakeSignal
    stop: StopSignal

    async def turn(self) -> bool:
        """Fetch the due files; return whether there were any."""
        due = await self.database.run_unit(
            proof_fetching.list_proofs_to_fetch,
            now=datetime.now(UTC),
            limit=4 * MAX_CONCURRENT_FETCHES,
        )
        for jobs in batched(due, MAX_CONCURRENT_FETCHES):
            if self.stop.is_set():
                return False
            await gather_all(map(self._fetch, jobs))
        return bool(due)

    async def _fetch(self, job: ProofFetchJob) -> None:
        now = datetime.now(UTC)
        if not await self.database.run_unit(
            proof_fetching.claim_proof_fetch,
            job.proof_id,
            now=now,
            retry_at=now + FETCH_CLAIM_DURATION,
        ):
            return
        try:
            fetched = await self.client.fetch_media(
                job.media_id, phone_number_id=job.phone_number_id, sha256=job.sha256
            )
        except MediaCorrupt as error:
            await self._record_failure(job, error, final=job.attempts + 1 >= MAX_CORRUPT_DOWNLOADS)
        except MediaError as error:
            await self._record_failure(job, error, final=True)
        except GraphRefused as refusal:
            await self._record_refusal(job, refusal)
        except GraphError as error:
            await self._record_failure(job, error, final=job.attempts + 1 >= MAX_FETCH_ATTEMPTS)
        else:
            try:
                await self._keep_file(job, fetched)
            except OSError as error:
                await self._record_storage_failure(job, error)

    async def _keep_file(self, job: ProofFetchJob, fetched: MediaFile) -> None:
        """Store a file with the pictures that pages show of it, unless it cannot be opened."""
        try:
            rendering = await asyncio.to_thread(
                renderer.render_file, fetched.content, content_type=fetched.content_type
            )
        except RendererBusy as busy:
            if job.attempts + 1 < MAX_BUSY_ATTEMPTS:
                await self._record_failure(job, busy, final=False)
                return
            rendering = None  # it is rendered when somebody looks at it
        if rendering is not None and (error := _UNREADABLE.get(rendering.status)):
            unreadable = UnreadableFile(
                fetched.content, fetched.content_type, fetched.extension, rendering.status
            )
            await self._record_failure(job, error(), final=True, unreadable=unreadable)
            return
        await self.database.run_unit(
            proof_files.keep_proof_file,
            job.proof_id,
            content=fetched.content,
            content_type=fetched.content_type,
            extension=fetched.extension,
            now=datetime.now(UTC),
            fingerprint=rendering.fingerprint if rendering is not None else "",
            rendering=rendering,
        )
        logger.info("proof_kept", proof_id=job.proof_id, size=len(fetched.content))

    async def _record_refusal(self, job: ProofFetchJob, refusal: GraphRefused) -> None:
        """Record a refusal; one that concerns the whole business number pauses it instead."""
        now = datetime.now(UTC)
        has_expired = now - job.arrived_at >= MEDIA_LIFETIME
        trouble = None if has_expired else await self._find_number_trouble(job, refusal)
        if trouble is None:
            gone = has_expired and refusal.is_object_hidden
            if refusal.is_object_hidden and not gone:
                await self.database.run_unit(
                    proof_files.report_hidden_proof,
                    job.proof_id,
                    phone_number_id=job.phone_number_id,
                    now=now,
                )
            final = gone or job.attempts + 1 >= MAX_FETCH_ATTEMPTS
            await self._record_failure(job, MediaGone() if gone else refusal, final=final)
            return
        logger.warning("proof_fetch_paused", proof_id=job.proof_id, code=trouble.code)
        await self.database.run_unit(
            proof_files.postpone_proof_fetch,
            job.proof_id,
            phone_number_id=job.phone_number_id,
            code=trouble.code,
            reason=trouble.judgement.explanation,
            retry_at=now + PAUSED_FETCH_WAIT,
            now=now,
        )

    async def _find_number_trouble(
        self, job: ProofFetchJob, refusal: GraphRefused
    ) -> GraphRefused | None:
        """Return the refusal that concerns the whole business number; None: only this file.

        A hidden file alone may be a deleted one, so it is asked whether the number is visible.
        """
        if refusal.is_object_hidden:
            try:
                await self.client.get_phone_number(job.phone_number_id)
            except GraphRefused as number_refusal:
                refusal = number_refusal
            except GraphError:
                return None
            else:
                return None
        return refusal if refusal.judgement.reaction is FailureReaction.PAUSE else None

    async def _record_storage_failure(self, job: ProofFetchJob, error: OSError) -> None:
        now, reason = datetime.now(UTC), error.strerror or type(error).__name__
        logger.error("proof_not_stored", proof_id=job.proof_id, reason=reason)
        await self.database.run_unit(
            proof_files.record_storage_failure,
            job.proof_id,
            reason=reason,
            retry_at=now + PAUSED_FETCH_WAIT,
            now=now,
        )

    async def _record_failure(
        self,
        job: ProofFetchJob,
        error: Exception,
        *,
        final: bool,
        unreadable: UnreadableFile | None = None,
    ) -> None:
        now = datetime.now(UTC)
        retry_at = (
            None
            if final
            else now + compute_fetch_wait(job.attempts + 1, jitter=randbelow(100) / 100)
        )
        reason = type(error).__name__
        await self.database.run_unit(
            proof_files.record_proof_fetch_failure,
            job.proof_id,
            error=reason,
            retry_at=retry_at,
            now=now,
            unreadable=unreadable,
        )
        logger.warning("proof_not_fetched", proof_id=job.proof_id, reason=reason, final=final)
        if final:
            self.outbox_signal.set()


def compute_fetch_wait(attempts: int, *, jitter: float) -> timedelta:
    """Return how long to wait after a number of failed fetches.

    Args:
        attempts: fetches so far, from 1.
        jitter: from 0 to 1; how much of the random part is added.

    """
    wait = retry.compute_exponential_wait(attempts, base=RETRY_BASE, cap=RETRY_CAP)
    return retry.add_jitter(wait, jitter=jitter)
