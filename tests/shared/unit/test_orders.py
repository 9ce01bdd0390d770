"""Orders to a running service: each asker gets its own answer, and nobody else's file is touched for it."""

import multiprocessing
import os
import select
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pimains.core.errors import PimainsError
from pimains.shared.orders.asker_end import ask, understood
from pimains.shared.orders.service_end import Order, Orders
from tests.kit import TOP, until
from tests.shared.order_fifo import Fifo, give

ASKERS = 5
ORDERS = 200
WORDS = {"save": "", "set": "TOTAL WHO"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    run = tmp_path / "run/pimains/meter"
    run.mkdir(parents=True)
    return run


@pytest.fixture
def orders(run: Path) -> Iterator[Orders]:
    with Orders(run, WORDS) as orders:
        yield orders


class Service:
    """Answers what it is asked with what it was asked, in a thread of its own."""

    def __init__(self, orders: Orders) -> None:
        self.done: list[str] = []
        self._orders = orders
        self._ends, self._end = os.pipe()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            ready = select.select([self._orders, self._ends], [], [])[0]
            if self._ends in ready:
                return
            for order in self._orders.take():
                self.done.append(f"{order.word} {order.rest}".rstrip())
                self._orders.answer(order.id, f"done: {self.done[-1]}", ok=order.rest != "badly")

    def close(self) -> None:
        os.write(self._end, b"x")
        self._thread.join()
        os.close(self._end)
        os.close(self._ends)


@pytest.fixture
def service(orders: Orders) -> Iterator[Service]:
    with closing(Service(orders)) as service:
        yield service


def ask_often(run: Path, asker: int, lost: "multiprocessing.SimpleQueue[list[str]]") -> None:
    """Tells which answers were not those to its own orders."""
    wrong = []
    for number in range(ORDERS):
        try:
            said = ask(run, f"set {number} asker {asker}", 20)
        except (PimainsError, OSError) as error:
            said = str(error)
        if said != f"done: set {number} asker {asker}":
            wrong.append(said)
    lost.put(wrong)


def test_of_five_askers_with_two_hundred_orders_each_every_one_gets_its_own_answer(run: Path, service: Service) -> None:
    with multiprocessing.get_context("spawn").Pool(ASKERS) as pool, multiprocessing.Manager() as manager:
        lost = manager.Queue()
        pool.starmap(ask_often, [(run, asker, lost) for asker in range(ASKERS)])
        assert [lost.get() for _ in range(ASKERS)] == [[]] * ASKERS
    assert len(service.done) == len(set(service.done)) == ASKERS * ORDERS
    assert sorted(os.listdir(run / "orders")) == ["ask", "words"]


def test_an_answer_goes_to_nobody_but_its_asker(run: Path, orders: Orders) -> None:
    with closing(Fifo(run, "1.1")) as one, closing(Fifo(run, "1.2")) as other:
        give(run, "1.1 save\n1.2 set 5 anna\n")
        assert orders.take() == [Order("1.1", "save", ""), Order("1.2", "set", "5 anna")]
        orders.answer("1.2", "in two\nlines", ok=False)
        assert (one.read(), other.read()) == ("", "failed in two lines\n")
        orders.answer("1.1", "saved")
        assert (one.read(), other.read()) == ("ok saved\n", "")


def test_an_order_that_is_repeated_is_carried_out_once_and_answered_again(run: Path, orders: Orders) -> None:
    with closing(Fifo(run, "1.1")) as said:
        give(run, "1.1 save\n1.1 save\n")
        assert len(orders.take()) == 1
        give(run, "1.1 save\n")
        assert orders.take() == []
        orders.answer("1.1", "saved")
        give(run, "1.1 save\n")
        assert orders.take() == []
        assert said.read() == "ok saved\n" * 2
    give(run, "1.1 save\n")
    assert orders.take() == []
    with closing(Fifo(run, "1.1")) as said:
        give(run, "1.1 save\n")
        assert len(orders.take()) == 1
        assert said.read() == ""


def test_a_word_that_is_unknown_is_answered_with_those_there_are(run: Path, service: Service) -> None:
    for order, quoted in (("sell", "sell"), ("saves", "saves"), ("", ""), ("save now", "save now"), ("sell the house", "sell")):
        with pytest.raises(PimainsError, match=f"^'{quoted}' is no order: save, set TOTAL WHO$"):
            ask(run, order)
    assert (run / "orders/words").read_text() == "save\nset\n"
    assert service.done == []


def test_who_asks_gets_what_was_said_and_a_failure_as_an_error(run: Path, service: Service) -> None:
    assert ask(run, "set 5\nanna") == "done: set 5 anna"
    with pytest.raises(PimainsError, match=r"^done: set badly$"):
        ask(run, "set badly")
    with pytest.raises(PimainsError, match=r"^an order is one line of at most 4096 bytes, this one would have 5"):
        ask(run, f"set {'x' * 5000}")
    assert sorted(os.listdir(run / "orders")) == ["ask", "words"]


def test_a_service_that_does_not_answer_does_not_run_or_ends_is_an_error_at_once(run: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ask(run, "save")
    with Orders(run, WORDS) as orders:
        with pytest.raises(PimainsError, match=r"^meter did not answer within 0\.1 s \(pimains status\)$"):
            ask(run, "save", 0.1)
        ends = threading.Thread(target=lambda: (select.select([orders], [], []), os.read(orders.fileno(), 1), orders.close()))
        assert orders.take()
        ends.start()
        with pytest.raises(PimainsError, match=r"^meter ended before it answered \(pimains status\)$"):
            ask(run, "save", 60)
        ends.join()
    (run / "orders").mkdir(exist_ok=True)
    os.mkfifo(run / "orders/ask")
    with pytest.raises(FileNotFoundError):
        ask(run, "save", 60)
    assert os.listdir(run / "orders") == ["ask"]


@contextmanager
def killed_asker(run: Path, order: str) -> Iterator[int]:
    """The id of a program that was killed while it waited."""
    program = f"from pathlib import Path; from pimains.shared.orders.asker_end import ask; ask(Path({str(run)!r}), {order!r}, 60)"
    with subprocess.Popen(["/usr/bin/python3", "-c", program], env={"PYTHONPATH": str(TOP / "lib")}) as asker:
        until(lambda: list((run / "orders").glob(f"said.{asker.pid}.*")))
        yield asker.pid
        asker.kill()


def test_an_asker_that_was_killed_costs_the_service_nothing(run: Path, orders: Orders) -> None:
    descriptors = len(os.listdir("/proc/self/fd"))
    with killed_asker(run, "save") as pid:
        assert select.select([orders], [], [], 60)[0]
        (order,) = orders.take()
        assert order.id.startswith(f"{pid}.")
        assert orders.is_awaited(order.id)
    assert not orders.is_awaited(order.id)
    assert list((run / "orders").glob("said.*"))
    orders.answer(order.id, "saved")
    with closing(Fifo(run, f"{os.getpid()}.1")) as said:
        give(run, f"{os.getpid()}.1 save\n")
        (order,) = orders.take()
        orders.answer(order.id, "saved")
        assert said.read() == "ok saved\n"
        assert [path.name for path in (run / "orders").glob("said.*")] == [f"said.{os.getpid()}.1"]
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_what_askers_that_were_killed_left_is_removed_when_the_service_starts(run: Path) -> None:
    with Orders(run, WORDS), killed_asker(run, "save"):
        pass
    assert len(list((run / "orders").glob("said.*"))) == 1
    os.mkfifo(run / f"orders/said.{os.getpid()}.1")  # somebody who is about to ask
    (run / "orders/said.0").mkdir()
    with Orders(run, WORDS):
        assert sorted(os.listdir(run / "orders")) == ["ask", "said.0", f"said.{os.getpid()}.1", "words"]


@pytest.mark.parametrize("kind", ["link to a file", "link to a FIFO", "file", "directory", "socket"])
def test_what_is_no_fifo_is_not_answered_and_nothing_is_written_through_it(run: Path, orders: Orders, tmp_path: Path, kind: str) -> None:
    said, elsewhere = run / "orders/said.1.1", tmp_path / "elsewhere"
    if kind == "link to a file":
        elsewhere.write_text("as it was\n")
        said.symlink_to(elsewhere)
    elif kind == "link to a FIFO":
        os.mkfifo(elsewhere)
        said.symlink_to(elsewhere)
    elif kind == "file":
        said.write_text("as it was\n")
    elif kind == "directory":
        said.mkdir()
    else:
        os.mknod(said, stat.S_IFSOCK | 0o600)
    reader = os.open(elsewhere, os.O_RDWR | os.O_NONBLOCK) if kind == "link to a FIFO" else -1
    give(run, "1.1 sell\n1.1 " + "x" * 4094 + "\n")
    assert orders.take() == []
    give(run, "1.1 save\n")
    assert len(orders.take()) == 1
    assert not orders.is_awaited("1.1")
    orders.answer("1.1", "saved")
    for file in (elsewhere, said):
        assert not file.is_file() or file.read_text() == "as it was\n"
    if kind == "link to a FIFO":
        with pytest.raises(BlockingIOError):
            os.read(reader, 1)
        os.close(reader)


@pytest.mark.parametrize("id_", ["", "../said.1.1", "1/1", "1 1", "-1", "ä", "²", "..", "x" * 65, "1\x001"])
def test_an_order_with_an_id_that_could_lead_elsewhere_is_not_taken(run: Path, orders: Orders, id_: str) -> None:
    give(run, f"{id_} save\n{id_} sell\n1.2 save\n")
    assert orders.take() == [Order("1.2", "save", "")]


def test_a_line_that_is_torn_or_too_long_is_refused_with_a_word_and_the_next_one_is_taken(run: Path, orders: Orders) -> None:
    refused = "failed an order is one line of at most 4096 bytes\n"
    with closing(Fifo(run, "1.1")) as said:
        give(run, "1.1 sa")
        assert (orders.take(), said.read()) == ([], refused)
        give(run, f"1.1 set {'x' * 4088}\n1.2 save\n")
        assert (orders.take(), said.read()) == ([Order("1.2", "save", "")], refused)
        give(run, f"1.1 set {'x' * 9000}")
        assert (orders.take(), said.read()) == ([], refused)
        give(run, "x 1.3 save\n1.4 save\n")
        assert (orders.take(), said.read()) == ([Order("1.4", "save", "")], "")
        longest = f"1.1 set {'x' * 4087}\n"
        assert len(longest) == select.PIPE_BUF
        give(run, longest)
        assert (orders.take(), said.read()) == ([Order("1.1", "set", "x" * 4087)], "")


def test_an_asker_that_reads_nothing_does_not_make_the_service_wait(run: Path, orders: Orders) -> None:
    with closing(Fifo(run, "1.1")) as said:
        for _ in range(1000):
            orders.answer("1.1", "x" * 300)
        assert said.read().startswith("ok xxx")


def test_the_directory_is_the_services_and_others_remove_nothing_but_their_own(run: Path, orders: Orders) -> None:
    modes = {name: oct((run / "orders" / name).stat().st_mode & 0o7777) for name in (".", "ask", "words")}
    assert modes == {".": "0o3770", "ask": "0o660", "words": "0o644"}


@pytest.mark.parametrize("what", ["link", "file", "fifo"])
def test_a_service_that_finds_something_else_in_place_of_its_directory_sets_it_aside_and_touches_nothing(
    run: Path, tmp_path: Path, what: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    if what == "link":
        (run / "orders").symlink_to(elsewhere)
    elif what == "fifo":
        os.mkfifo(run / "orders")
    else:
        (run / "orders").write_text("as it was\n")
    before = _as_it_is(run / "orders")
    with Orders(run, WORDS) as orders:
        give(run, "77 save\n")
        assert orders.take() == [Order("77", "save", "")]
    assert _as_it_is(run / ".orders.set-aside-1") == before
    assert (elsewhere.stat().st_mode & 0o7777, os.listdir(elsewhere)) == (0o700, [])


STEP = f"""
. {TOP}/services/order.sh
each() {{
    order "$1" $SECONDS_MAX "$@" && echo "$name: $answer" || echo "$? $name: $answer"
}}
"""


def step(root: Path, seconds: int, script: str) -> subprocess.CompletedProcess[str]:
    """What a halt step would print that has the functions of order.sh; the first line of `script` says with what it calls `order`."""
    order, _, more = script.partition("\n")
    text = STEP.replace('"$@"', order) + more
    env = {"PATH": os.environ["PATH"], "PIMAINS_ROOT": str(root), "SECONDS_MAX": str(seconds)}
    return subprocess.run(["sh", "-c", text], env=env, capture_output=True, text=True, check=False)


def test_a_step_asks_only_those_that_know_its_word(run: Path, service: Service, tmp_path: Path) -> None:
    plug = run.parent / "plug"
    plug.mkdir()
    with Orders(plug, {"halt": "REASON"}) as other:
        done = step(tmp_path, 60, "save\nask_each save")
        assert (done.stdout, done.stderr, done.returncode) == ("meter: ok done: save\n", "", 0)
        assert other.take() == []
    assert service.done == ["save"]
    assert step(tmp_path, 60, "save\nask_each sav").stdout == ""
    assert sorted(os.listdir(run / "orders")) == ["ask", "words"]


def test_a_step_keeps_its_word_whoever_else_takes_orders(run: Path, service: Service, tmp_path: Path) -> None:
    (ups := run.parent / "ups").mkdir()  # is asked after the meter whether it knows the word
    with Orders(ups, {"outage-halt": "REASON"}):
        assert step(tmp_path, 60, '"$word"\nword=save\nask_each "$word"').stdout == "meter: ok done: save\n"
    assert service.done == ["save"]


@pytest.mark.parametrize(("codes", "told"), [("0 0", 0), ("1 0", 1), ("124 1", 124), ("1 124", 124), ("0 124", 124)])
def test_a_step_that_had_too_little_time_for_one_of_its_services_says_so(
    run: Path, orders: Orders, tmp_path: Path, codes: str, told: int
) -> None:
    """Whatever became of the others."""
    (other := run.parent / "water").mkdir()
    one, two = codes.split()
    script = f"""x
each() {{ case $1 in */water/orders) return {two} ;; *) return {one} ;; esac }}
failed=kept
ask_each save
code=$?
echo $failed; exit $code"""
    with Orders(other, WORDS):
        done = step(tmp_path, 60, script)
    assert (done.returncode, done.stdout) == (told, "kept\n")


@pytest.mark.parametrize(("wait_seconds", "late"), [(0.0, ""), (2.1, "yes")])
def test_a_step_knows_whether_a_failure_took_all_of_its_time(
    run: Path, orders: Orders, tmp_path: Path, wait_seconds: float, late: str
) -> None:
    done: list[str] = []
    script = 'leave because\neach() { order "$1" 2 leave because; echo "$answer, $late"; }\nask_each save'
    asker = threading.Thread(target=lambda: done.append(step(tmp_path, 2, script).stdout))
    asker.start()
    assert select.select([orders], [], [], 60)[0]
    began = time.monotonic()
    until(lambda: time.monotonic() - began >= wait_seconds)
    orders.answer(next(name[5:] for name in os.listdir(run / "orders") if name.startswith("said.")), "no", ok=False)
    asker.join()
    assert done == [f"failed no, {late}\n"]


def test_a_step_cuts_a_reason_that_is_too_long_for_an_order(run: Path, service: Service, tmp_path: Path) -> None:
    assert step(tmp_path, 60, f"set {'x' * 9000}\nask_each set").stdout.startswith("meter: ok done: set xxx")


def test_a_step_waits_for_a_service_that_was_killed_and_gives_its_order_again(run: Path, tmp_path: Path) -> None:
    serves = f"""if True:
        import select, signal, sys
        from pathlib import Path
        from pimains.shared.orders.service_end import Orders
        orders = Orders(Path({str(run)!r}), {WORDS!r})
        select.select([orders], [], [])
        print(orders.take(), flush=True)
        signal.pause()"""
    words = ["/usr/bin/python3", "-c", serves]
    done: list[str] = []
    asker = threading.Thread(target=lambda: done.append(step(tmp_path, 60, "save\nask_each save").stdout))
    with subprocess.Popen(words, env={"PYTHONPATH": str(TOP / "lib")}, stdout=subprocess.PIPE, text=True) as before:
        until(lambda: (run / "orders/words").exists())
        asker.start()
        assert before.stdout and "word='save'" in before.stdout.readline()
        before.kill()
    with Orders(run, WORDS) as orders, closing(Service(orders)):
        asker.join()
    assert done == ["meter: ok done: save\n"]


def test_a_step_says_so_when_nobody_reads_its_order(run: Path, tmp_path: Path) -> None:
    (run / "orders").mkdir()
    (run / "orders/words").write_text("save\n")
    os.mkfifo(run / "orders/ask")
    began = time.monotonic()
    assert step(tmp_path, 1, "save\nask_each save").stdout == "1 meter: meter did not answer within 1 s\n"
    assert time.monotonic() - began < 5
    assert sorted(os.listdir(run / "orders")) == ["ask", "words"]


def test_a_step_notices_when_the_service_ends_in_order(run: Path, tmp_path: Path) -> None:
    with closing(Orders(run, WORDS)) as orders:
        ends = threading.Thread(target=lambda: (select.select([orders], [], []), orders.close()))
        ends.start()
        assert step(tmp_path, 300, "save\nask_each save").stdout.startswith("2 meter:")
        ends.join()


def test_a_step_that_was_killed_leaves_what_the_service_removes(run: Path, orders: Orders, tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "PIMAINS_ROOT": str(tmp_path), "SECONDS_MAX": "60"}
    with subprocess.Popen(["sh", "-c", STEP.replace('"$@"', "save") + "ask_each save"], env=env, start_new_session=True) as asker:
        assert select.select([orders], [], [], 60)[0]
        os.killpg(asker.pid, signal.SIGKILL)
    (order,) = orders.take()
    until(lambda: not orders.is_awaited(order.id))
    give(run, "1.1 save\n")
    orders.take()
    assert sorted(os.listdir(run / "orders")) == ["ask", "words"]


@pytest.mark.parametrize("name", ["ask", "words", ".words", ".ask.1", "said.1"])
def test_a_directory_that_a_stranger_made_meanwhile_keeps_no_service_from_taking_orders(run: Path, name: str) -> None:
    (run / "orders" / name / "full").mkdir(parents=True)
    with Orders(run, WORDS) as orders, closing(Fifo(run, "77")):
        give(run, "77 save\n")
        assert orders.take() == [Order("77", "save", "")]
        assert (run / "orders/words").read_text() == "save\nset\n"
    assert [path for path in run.rglob("full") if path.is_dir()] != []


def test_on_a_full_disk_orders_are_taken_all_the_same(run: Path, tmp_path: Path) -> None:
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", run], capture_output=True, check=False).returncode:
        pytest.skip("tmpfs cannot be mounted here")
    try:
        with (run / "filler").open("wb") as filler, pytest.raises(OSError, match="No space left"):
            filler.write(bytes(100_000))
        with Orders(run, WORDS) as orders, closing(Service(orders)):
            assert sorted(os.listdir(run / "orders")) == ["ask", "words.save", "words.set"]
            assert ask(run, "save", 10) == "done: save"
            assert understood(run) == {"save", "set"}
            assert step(tmp_path, 60, "save\nask_each save").stdout == "meter: ok done: save\n"
            assert step(tmp_path, 60, "save\nask_each halt").stdout == ""
        assert not (run / "orders").exists()
        (run / "orders").mkdir()
        for name in ("words.halt", "words.save"):  # of an earlier start, which was killed
            (run / "orders" / name).touch()
        with Orders(run, WORDS):
            assert understood(run) == {"save", "set"}
        (run / "filler").unlink()
        (run / "orders").mkdir()
        (run / "orders/words.save").touch()
        with Orders(run, WORDS):
            assert sorted(os.listdir(run / "orders")) == ["ask", "words"]
            assert understood(run) == {"save", "set"}
    finally:
        subprocess.run(["umount", run], check=True)


def _as_it_is(path: Path) -> tuple[int, ...]:
    about = path.lstat()  # its ctime is that of the last renaming
    return about.st_ino, about.st_mode, about.st_uid, about.st_size, about.st_mtime_ns
