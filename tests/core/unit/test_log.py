"""The log that a service never waits for."""

import os

from pimains.core.log import Log


def test_lines_reach_the_pipe_as_they_are_printed() -> None:
    outward, inward = os.pipe()
    log = Log(inward)
    print("one", "line", file=log)
    print("half a", end="", file=log)
    assert os.read(outward, 1000) == b"one line\n"
    print(" line: \udcff", file=log)
    assert os.read(outward, 1000) == b"half a line: \\udcff\n"


def test_lines_that_nobody_reads_are_dropped_counted_and_told_when_somebody_reads_again() -> None:
    outward, inward = os.pipe()
    log = Log(inward)
    for _ in range(1000):
        print("x" * 999, file=log)
    taken = os.read(outward, 1 << 20)
    assert taken.endswith(b"x\n")
    dropped = 1000 - taken.count(b"\n")
    assert dropped > 900
    print("again", file=log)
    assert os.read(outward, 1000) == f"({dropped} lines were dropped: nobody read the log)\nagain\n".encode()


def test_a_line_longer_than_a_pipe_holds_is_cut_and_not_waited_for() -> None:
    outward, inward = os.pipe()
    print("x" * (1 << 20), file=Log(inward))
    assert len(os.read(outward, 1 << 20)) == 4096
