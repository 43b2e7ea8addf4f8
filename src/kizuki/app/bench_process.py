"""One measured step in a process of its own, so that no step pays for the memory of the one before."""

import multiprocessing
from collections.abc import Callable
from typing import Any

from kizuki.terms.errors import RunFailed


def apart(step: Callable[..., None], given: tuple[Any, ...], what: str) -> None:
    """Run the step and wait for it; raises RunFailed K412 where it stops half-way (`what` = 「60,000人の街」)."""
    process = multiprocessing.get_context("spawn").Process(target=step, args=given)
    process.start()
    process.join()
    if process.exitcode:
        raise RunFailed("K412", f"{what}の測定が途中で止まりました。", "bench", "上に出ている知らせに従ってください。")
