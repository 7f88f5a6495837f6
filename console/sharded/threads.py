"""Several things at once, each on a thread that is tied to a core."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from nic.thread import PinnedThread

Result = TypeVar("Result")
JOIN_S: Final = 0.2


@dataclass(frozen=True)
class Job(Generic[Result]):
    """What runs on one thread, say a loop until its end, and where.

    Attributes:
        name: of the thread.
        core: None: where the scheduler puts it.
        work: the thing; most of it should be kernels, which let the other threads run.
        stop: asks it to end soon. Called from other threads, perhaps before it has begun.
    """

    name: str
    core: int | None
    work: Callable[[], Result]
    stop: Callable[[], None]


def run_together(jobs: Sequence[Job[Result]]) -> list[Result]:
    """Runs all to their ends; what each gave, in order.

    When one fails the others are asked to stop, and what it raised is raised here, behind the end
    of all.
    """
    failures: list[BaseException] = []

    def guarded(job: Job[Result]) -> Result:
        try:
            return job.work()
        except BaseException as failure:
            failures.append(failure)
            for other in jobs:
                other.stop()
            raise

    threads = [PinnedThread(guarded, (job,), core=job.core, name=job.name) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.running:
            with suppress(BaseException):  # those of the job are in `failures`
                thread.join(JOIN_S)
    if failures:
        raise failures[0]
    results: list[Result] = [thread.join() for thread in threads]
    return results
