"""The count of buyers that are answered in one transaction."""

from gateway.workers.inbox import MAX_CONTACTS_PER_BATCH, MIN_CONTACTS_PER_BATCH, BatchSize


def record_batches(size: BatchSize, *, first: float, each: float) -> list[int]:
    """Record batches that take `first` seconds and `each` more for a buyer; return their sizes."""
    chosen = []
    for _ in range(30):
        chosen.append(size.choose())
        size.record(contacts=chosen[-1], seconds=first + each * chosen[-1])
    return chosen


def test_grows_until_a_batch_takes_its_time_and_shrinks_when_answers_take_longer() -> None:
    size = BatchSize()

    growing = record_batches(size, first=0.004, each=0.001)
    shrinking = record_batches(size, first=0.01, each=0.003)

    assert growing == sorted(growing)
    assert growing[0] < growing[-1] == 35
    assert shrinking[-1] == 10


def test_stays_within_its_bounds() -> None:
    assert record_batches(BatchSize(), first=1, each=1)[-1] == MIN_CONTACTS_PER_BATCH
    assert record_batches(BatchSize(), first=0, each=1e-6)[-1] == MAX_CONTACTS_PER_BATCH


def test_a_clock_that_stands_still_and_a_batch_that_found_nobody_free_stop_no_worker() -> None:
    size = BatchSize(seconds_per_contact=0)
    size.record(contacts=64, seconds=0)
    assert size.choose() == MAX_CONTACTS_PER_BATCH

    usual = BatchSize()
    usual.record(contacts=0, seconds=0.001)
    assert usual == BatchSize()
