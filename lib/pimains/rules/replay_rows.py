"""The values of a replay's steps, read by a process of its own and handed on by a pipe: on a machine with two cores the rule need not wait.

A block has those of some steps: for each step and value that, and since when nobody has said another one; NaN where nobody knew one.
"""

import math
import os
from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path

from pimains.core.errors import Refused
from pimains.core.process.function import Forked
from pimains.rules.plan.replay import Known, Span
from pimains.rules.recorded_values import RecordedValues

_STEPS = 256  # a block, of four values 16 kB
_KIND = "d"
_NUMBERS = 2  # of each value: itself, and when it was so
_NAN = float("nan")


def rows(journal: Path, names: Sequence[str], span: Span, now: float) -> Iterator[tuple[Known, ...]]:
    """What was known of these at each step, in their order. Raises OSError; later Refused."""
    outward, inward = os.pipe2(os.O_CLOEXEC)
    Forked(lambda: _write(journal, names, span, now, inward), keep=(inward,))
    os.close(inward)
    return _read(journal, outward, len(names), span.steps)


def _write(journal: Path, names: Sequence[str], span: Span, now: float, pipe: int) -> str:
    values = RecordedValues(journal, now)
    steps = islice(zip(*(values.known(name, span.start, span.every) for name in names), strict=True), span.steps)
    with suppress(BrokenPipeError), open(pipe, "wb", buffering=0) as feed:
        while some := list(islice(steps, _STEPS)):
            numbers = [_NAN if each is None else each for each in chain.from_iterable(chain.from_iterable(some))]
            block = memoryview(array(_KIND, numbers)).cast("B")
            while block:
                block = block[feed.write(block) :]
    return ""


def _read(journal: Path, pipe: int, width: int, steps: int) -> Iterator[tuple[Known, ...]]:
    bytes_of_step = width * _NUMBERS * array(_KIND).itemsize
    bytes_of_block = _STEPS * bytes_of_step
    with open(pipe, "rb", buffering=bytes_of_block) as feed:
        while block := feed.read(bytes_of_block):
            steps -= len(block) // bytes_of_step
            numbers = array(_KIND)
            numbers.frombytes(block)
            known: list[Known] = list(zip(numbers[::2], numbers[1::2], strict=True))
            if math.isnan(sum(numbers)):
                known = [(None if math.isnan(value or 0.0) else value, at) for value, at in known]
            yield from zip(*[iter(known)] * width, strict=True)
    if steps:
        raise Refused(f"{journal}: cannot be read to the end")
