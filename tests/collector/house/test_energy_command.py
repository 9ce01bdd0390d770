"""`pimains energy`, beside a real collector: totals, and histories that come and go."""

import json
import os
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from pimains.meter.own_readings import OwnReadings
from pimains.shared.plan.delivery import Batch, Boot, Reading
from pimains.shared.readings.journal import Journal
from tests import damage
from tests.collector.collecting import Collector, batch, steady
from tests.kit import TOP, House

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


def started(house: House, *words: str) -> subprocess.Popen[str]:
    env = {"PYTHONPATH": str(TOP / "lib"), "PATH": "/usr/bin:/bin", "PIMAINS_ROOT": str(house.root), "LANG": "C.UTF-8"}
    told = ["/usr/bin/python3", "-P", "-m", "pimains.cli", "energy", *words, f"--servicedir={house.scan}"]
    return subprocess.Popen(told, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def command(house: House, *words: str, user: str | None = None) -> subprocess.CompletedProcess[str]:
    env = {"PYTHONPATH": str(TOP / "lib"), "PATH": "/usr/bin:/bin", "PIMAINS_ROOT": str(house.root), "LANG": "C.UTF-8"}
    told = ["/usr/bin/python3", "-P", "-m", "pimains.cli", "energy", *words, f"--servicedir={house.scan}"]
    return subprocess.run(told, env=env, capture_output=True, text=True, check=False, user=user, extra_groups=[] if user else None)


def energy(house: House, *words: str) -> str:
    done = command(house, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def table(tmp_path: Path, start: float, hours: int, name: str = "old.csv") -> Path:
    """1 kWh an hour."""
    path = tmp_path / name
    path.write_text("unixtime,total_kWh\n" + "".join(f"{start + 3600 * n},{n}\n" for n in range(hours + 1)))
    return path


def drawn(collector: Collector, start: float, end: float, source: str = "house") -> list[float]:
    """What the database of its graphs has, hour by hour, in watts."""
    assert collector.get(f"/graphs/{source}/week.svg").ok
    file = collector.instance.lib / "rrd" / f"s-{source}.rrd"
    words = ["rrdtool", "fetch", file, "AVERAGE", "--resolution=600", f"--start={int(start)}", f"--end={int(end)}"]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return [float(line.split()[1]) for line in said.splitlines() if ": " in line and "nan" not in line]


def test_a_history_is_imported_shown_drawn_and_forgotten_while_its_meter_goes_on(house: House, tmp_path: Path) -> None:
    collector = Collector(house, PRICE="0.5", CURRENCY="EUR")
    now = time.time()
    sent = steady(400, now)
    assert collector.send(sent._replace(readings=sent.readings[:200])).ok
    assert drawn(collector, now - 90_000, now - 10_000) == []
    before = collector.get("/v1/sources").json()[0]["total"]
    file = table(tmp_path, now - 30 * 3600, 48)
    assert "29 readings from" in energy(house, "import", str(file), "--source=house", "--dry-run")
    told = json.loads(energy(house, "import", str(file), "--source=house", "--dry-run", "--json"))
    assert sum(day["amount"] for day in told["first_days"]) == pytest.approx(29)  # those that would be stored, of two or three days
    assert energy(house, "imports") == "nothing was imported\n"
    told = json.loads(energy(house, "import", str(file), "--source=house", "--json"))
    assert (told["import"], told["readings"], told["left_out"], told["amount"]) == (1, 29, 19, pytest.approx(29))
    assert "imported already, as import 1" in energy(house, "import", str(file), "--source=house")
    assert collector.send(sent._replace(readings=sent.readings[200:])).ok
    assert collector.get("/v1/sources").json()[0]["total"] == pytest.approx(before + 0.2)
    watts = drawn(collector, now - 90_000, now - 10_000)
    assert len(watts) >= 120
    assert watts[5:-5] == pytest.approx([1000] * len(watts[5:-5]), abs=1)
    rows = json.loads(energy(house, "--day", "--count=3", "--json"))["house"]
    assert rows["sum"] == pytest.approx(29.4, abs=0.1)
    assert rows["sum_cost"] == pytest.approx(14.7, abs=0.1)
    shown = energy(house, "--source=house").splitlines()
    assert shown[0].startswith("house  ")
    assert shown[1].split() == ["day", "kWh", "EUR"]
    assert shown[-1].split() == ["sum", f"{rows['sum']:.2f}", f"{rows['sum_cost']:.2f}"]
    assert "import 1 (old.csv) is gone" in energy(house, "forget-import", "1")
    assert collector.get("/graphs/house/week.svg").ok
    assert json.loads(energy(house, "--json"))["house"]["sum"] == pytest.approx(0.4, abs=0.01)
    assert drawn(collector, now - 90_000, now - 10_000) == []


def test_what_is_asked_wrongly_is_said_in_one_line(house: House, tmp_path: Path) -> None:
    assert "no collector on this machine" in command(house).stderr
    assert "create_service --service_name=collector" in command(house).stderr
    collector = Collector(house)
    assert "has no readings yet" in command(house).stderr
    assert collector.send(steady(10)).ok
    (tmp_path / "old.rrd").write_bytes(b"RRD\0")
    (tmp_path / "days.csv").write_text("date;kWh\n2026-01-01;8,1\n2026-01-02;8,4\n")
    (tmp_path / "bad.csv").write_text("time,watts\n2026-11-20,5\n2026-11-21,much\n")
    for words, complaint in (
        (("--source=attic",), "there is no source attic; there is house"),
        (("--count=0",), "--count 0: not a number from 1"),
        (("--instance=x",), "no collector x"),
        (("import",), "FILE is missing"),
        (("import", "x.rrd"), "--source NAME is missing"),
        (("import", f"{tmp_path}/none.csv", "--source=a"), f"{tmp_path}/none.csv: No such file or directory"),
        (("import", str(tmp_path), "--source=a"), "Is a directory"),
        (("import", f"{tmp_path}/bad.csv", "--source=a"), "bad.csv line 3: 'much' is no number"),
        (("import", f"{tmp_path}/bad.csv", "--source=house", "--unit=m3"), "house counts kWh, not m3"),
        (("import", f"{tmp_path}/bad.csv", "--source=a", "--ds=b"), "--ds and --factor are for databases"),
        (("import", f"{tmp_path}/old.rrd", "--source=a", "--column=total"), "--column, --time, --values and --decimal are for tables"),
        (("import", f"{tmp_path}/days.csv", "--source=a"), "days.csv: the column 'kWh' does not say whether it has amounts or totals"),
        (
            ("import", f"{tmp_path}/days.csv", "--source=a", "--column=total"),
            "at the begin or at the end of its day; say which: --time=begin is",
        ),
        (("forget-import", "1"), "there is no import 1"),
        (("forget-import",), "the NUMBER of the import is missing"),
    ):
        done = command(house, *words)
        assert done.returncode == 1
        assert complaint in done.stderr
        assert done.stderr.count("\n") == 1
    assert energy(house, "imports") == "nothing was imported\n"
    assert [each["source"] for each in collector.get("/v1/sources").json()] == ["house"]


def test_whoever_may_read_the_journal_sees_totals_without_being_root(house: House, tmp_path: Path) -> None:
    collector = Collector(house)
    assert collector.send(steady(100)).ok
    house.root.chmod(0o755)
    if any(not parent.stat().st_mode & 1 for parent in house.root.parents):
        pytest.skip("nobody else gets into this test's directory")
    assert "sum" in command(house, user="nobody").stdout
    done = command(house, "import", str(table(tmp_path, time.time() - 9e5, 5)), "--source=x", user="nobody")
    assert "root and user pimains may do that" in done.stderr
    collector.instance.svc("-d")
    house.until(lambda: collector.instance.pid == 0)
    assert "sum" in command(house, user="nobody").stdout
    (collector.instance.lib / "journal.sqlite").chmod(0o600)
    assert "root and members of group pimains may read it" in command(house, user="nobody").stderr


def test_what_is_broken_off_says_how_it_is_left_and_is_soon_whole_again(house: House, tmp_path: Path) -> None:
    collector = Collector(house)
    assert collector.send(steady(10)).ok
    path = tmp_path / "long.csv"
    start = int(time.time()) - 3_000_000
    path.write_text("unixtime,watts\n" + "".join(f"{start + 5 * n},360\n" for n in range(100_000)))
    said = interrupted(house, collector, "under way", "import", str(path), "--source=house")
    assert said == "house: long.csv is not imported; what was stored of it is taken out again\n"
    assert energy(house, "imports") == "nothing was imported\n"
    assert imported(collector) == ("forgotten", 0)
    number = json.loads(energy(house, "import", str(path), "--source=house", "--json"))["import"]
    said = interrupted(house, collector, "leaving", "forget-import", str(number))
    assert said == f"import {number} is forgotten; the rest of its readings goes with the next `pimains energy imports`\n"
    assert energy(house, "imports") == "nothing was imported\n"
    assert imported(collector) == ("forgotten", 0)


def interrupted(house: House, collector: Collector, state: str, *words: str) -> str:
    """What `pimains energy` says to Ctrl-C while an import is in that state and has readings; it cannot go on before it comes."""
    child = started(house, *words)
    with closing(sqlite3.connect(collector.instance.lib / "journal.sqlite", timeout=20, isolation_level=None)) as connection:

        def is_there() -> bool:
            connection.execute("begin immediate")
            now, rows = newest_import(connection)
            if now == state and rows:
                return True
            connection.execute("rollback")
            return False

        house.until(is_there)
        child.send_signal(signal.SIGINT)
        connection.execute("rollback")
    said = child.communicate()[1]
    assert child.returncode == 130
    return said


def imported(collector: Collector) -> tuple[str, int]:
    with closing(sqlite3.connect(collector.instance.lib / "journal.sqlite", timeout=20)) as connection:
        return newest_import(connection)


def newest_import(connection: sqlite3.Connection) -> tuple[str, int]:
    """Its state, and how many readings of imports there are."""
    state = connection.execute("select state from imports order by number desc limit 1").fetchone()
    (rows,) = connection.execute("select count(*) from readings where boot < 0").fetchone()
    return state[0] if state else "none", rows


def test_readings_that_come_during_an_import_are_all_stored(house: House, tmp_path: Path) -> None:
    collector = Collector(house)
    now = time.time()
    path = tmp_path / "long.csv"
    with path.open("w") as file:
        file.write("unixtime,watts\n" + "".join(f"{int(now) - 3_000_000 + 5 * n},360\n" for n in range(300_000)))
    importing = threading.Thread(target=energy, args=(house, "import", str(path), "--source=house"))
    importing.start()
    sent = 0
    while importing.is_alive():
        sent += 1
        assert collector.send(batch((sent, 5.0 * sent, sent), offset=now)).ok
    importing.join()
    assert sent > 5
    assert collector.get("/v1/sources").json()[0]["total"] == sent / 1000 + 0
    assert json.loads(energy(house, "--year", "--count=2", "--json"))["house"]["sum"] == pytest.approx(150 + sent / 1000, abs=0.01)


def test_what_a_collector_exports_can_be_imported(house: House, tmp_path: Path) -> None:
    collector = Collector(house)
    assert collector.send(steady(2000)).ok
    exported = tmp_path / "house.csv"
    exported.write_text(collector.get("/v1/export?source=house").text)
    energy(house, "import", str(exported), "--source=copy")
    copied = collector.get("/v1/export?source=copy&format=json").json()["rows"]
    original = collector.get("/v1/export?source=house&format=json").json()["rows"]
    assert [row[1:2] + row[3:] for row in copied] == [pytest.approx(row[1:2] + row[3:]) for row in original]


def test_root_follows_no_link_of_user_pimains_to_a_database_and_leaves_nothing_of_its_own_there(house: House, tmp_path: Path) -> None:
    collector = Collector(house)
    victim = house.root / "victim.sqlite"
    with closing(sqlite3.connect(victim)) as connection:
        connection.execute("create table roots (word text)")
    victim.chmod(0o600)
    before = victim.read_bytes()
    collector.instance.svc("-d")
    house.until(lambda: not collector.instance.pid)
    journal = collector.instance.lib / "journal.sqlite"
    journal.unlink()
    journal.symlink_to(victim)
    old = table(tmp_path, time.time() - 90_000, 3)
    for words in (["import", str(old), "--source=house"], ["imports"], ["forget-import", "1"], []):
        assert command(house, *words).returncode == 1, words
    assert (victim.read_bytes(), victim.stat().st_uid, victim.stat().st_mode & 0o777) == (before, 0, 0o600)
    assert [path.name for path in collector.instance.lib.iterdir() if path.lstat().st_uid == 0 and path != journal] == []


def test_a_file_that_only_root_may_read_is_imported_and_nothing_of_it_stays_elsewhere(house: House, tmp_path: Path) -> None:
    Collector(house)
    old = table(tmp_path, time.time() - 90_000, 3)
    old.chmod(0o600)
    assert "house: 3 readings" in energy(house, "import", str(old), "--source=house")
    assert "old.csv" in energy(house, "imports")
    assert list(Path("/var/tmp").glob("pimains-import-*")) == []
    done = command(house, "import", str(tmp_path / "none.csv"), "--source=house")
    assert (done.returncode, done.stderr) == (1, f"pimains: {tmp_path}/none.csv: No such file or directory\n")


def test_what_a_meter_has_kept_on_its_card_is_imported_as_its_readings_and_stored_once(house: House, tmp_path: Path) -> None:
    collector = Collector(house)
    made = OwnReadings(tmp_path / "journal.sqlite", tmp_path / "recent.sqlite")
    made.belongs_to("house")
    now = time.time()
    id_ = made.enter_run("house", "r1", "boot", Boot(now - 3600, synchronised=True))
    for number in range(1, 101):
        made.note(id_, Reading("r1", number, None, number * 5.0, number * 10))
    made.save()
    asked = made.unsent(40)
    assert collector.send(Batch("house", "kWh", 1000, None, asked.boots, asked.readings, asked.runs)).ok
    made.close()
    words = ("import", str(tmp_path / "journal.sqlite"), "--source", "house")
    assert energy(house, *words, "--dry-run") == "house: 100 readings, 60 of them would be new\n"
    assert energy(house, *words) == "house: 100 readings, 60 of them are new\n"
    assert energy(house, *words) == "house: 100 readings, 0 of them are new\n"
    rows = collector.get(f"/v1/export?source=house&from={now - 3601}&format=json").json()["rows"]
    assert [row[2] for row in rows] == [number * 10 for number in range(1, 101)]
    refused = command(house, "import", str(tmp_path / "journal.sqlite"), "--source", "attic")
    assert refused.returncode == 1
    assert "attic is no source of this collector yet: --unit and --impulses say what its pulses are" in refused.stderr
    done = energy(house, *words[:2], "--source", "attic", "--unit", "kWh", "--impulses", "1000")
    assert done == "attic: 100 readings, 100 of them are new\n"


def test_a_meters_journal_of_0_1_0_is_imported_and_a_broken_one_is_said(house: House, tmp_path: Path) -> None:
    collector = Collector(house)
    kept = TOP / "tests/shared/release_0_1_0/meter.sqlite"
    before = kept.read_bytes()
    done = energy(house, "import", str(kept), "--source", "house", "--unit", "kWh", "--impulses", "1000")
    assert done == "house: 7 readings, 7 of them are new\n"
    assert kept.read_bytes() == before
    assert collector.get("/v1/sources").json()[0]["total"] == 0.12
    broken = tmp_path / "journal.sqlite"
    broken.write_bytes(before[:100] + b"\xff" * 3000)
    refused = command(house, "import", str(broken), "--source", "house")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert f"{broken}: database disk image is malformed; nothing can be read of it" in refused.stderr


def test_of_a_meters_journal_that_a_card_has_ruined_what_can_be_read_is_imported(house: House, tmp_path: Path) -> None:
    collector = Collector(house)
    kept = tmp_path / "journal.sqlite"
    with closing(Journal(kept)) as journal:
        journal.store("house", {"b": Boot(time.time() - 4000, True)}, [Reading("b", n, None, float(n), n) for n in range(1, 4001)])
    damage.behind_page_1(kept)
    ruined = kept.read_bytes()
    done = command(house, "import", str(kept), "--source", "house", "--unit", "kWh", "--impulses", "1000")
    assert (done.returncode, done.stderr) == (0, "journal.sqlite: database disk image is malformed; what can be read of it is taken\n")
    taken = int(done.stdout.split()[1])
    assert 2000 < taken < 4000
    assert collector.get("/v1/sources").json()[0]["total"] == 4.0
    assert kept.read_bytes() == ruined


def test_a_spreadsheet_is_shown_both_ways_and_stored_as_what_people_say_it_is(house: House, tmp_path: Path) -> None:
    Collector(house)
    file = tmp_path / "days.csv"
    file.write_bytes("sep=;\r\nDatum;kWh;für\r\n01.01.2026;8,1;x\r\n02.01.2026;8,4;x\r\n03.01.2026;9,0;x\r\n;;\r\n".encode("cp1252"))
    shown = energy(house, "import", str(file), "--source=house", "--dry-run").splitlines()
    assert shown == [
        "house: the column 'kWh' does not say whether it has amounts or totals:",
        "--column=amount: 'kWh' is taken for amounts, each of its whole day",
        "  2026-01-01   8.10 kWh",
        "  2026-01-02   8.40 kWh",
        "  2026-01-03   9.00 kWh",
        "  sum         25.50 kWh",
        "--column=total --time=begin: 'kWh' is taken for totals, each at the begin of its day",
        "  2026-01-01  0.30 kWh",
        "  2026-01-02  0.60 kWh",
        "  sum         0.90 kWh",
        "--column=total --time=end: 'kWh' is taken for totals, each at the end of its day",
        "  2026-01-02  0.30 kWh",
        "  2026-01-03  0.60 kWh",
        "  sum         0.90 kWh",
        "read as cp1252, for it is no UTF-8",
    ]
    told = json.loads(energy(house, "import", str(file), "--source=house", "--dry-run", "--json"))
    assert [(each["column"], each["time"], round(each["amount"], 6), each["days"]) for each in told["answers"]] == [
        ("amount", None, 25.5, 3), ("total", "begin", 0.9, 2), ("total", "end", 0.9, 2)
    ]  # fmt: skip
    done = command(house, "import", str(file), "--source=house")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert energy(house, "imports") == "nothing was imported\n"
    told = json.loads(energy(house, "import", str(file), "--source=house", "--column=amount", "--dry-run", "--json"))
    assert told["first_days"] == [{"day": f"2026-01-0{n}", "amount": pytest.approx(x)} for n, x in ((1, 8.1), (2, 8.4), (3, 9.0))]
    assert (told["column"], told["time"], told["encoding"], told["amount"]) == ("amount", None, "cp1252", pytest.approx(25.5))
    shown = energy(house, "import", str(file), "--source=house", "--column=amount", "--dry-run").splitlines()
    assert shown[0] == "house: 3 readings from 2026-01-01 00:00 to 2026-01-04 00:00, 25.50 kWh, would be imported"
    assert shown[1:] == ["'kWh' is taken for amounts, each of its whole day", "read as cp1252, for it is no UTF-8", *shown[3:]]
    assert shown[3:] == ["  2026-01-01   8.10 kWh", "  2026-01-02   8.40 kWh", "  2026-01-03   9.00 kWh", "  sum         25.50 kWh"]
    energy(house, "import", str(file), "--source=house", "--column=amount")
    rows = json.loads(energy(house, "--day", "--count=800", "--json"))["house"]["rows"]
    assert [(row["day"], pytest.approx(row["amount"])) for row in rows if row["amount"]] == [
        ("2026-01-01", 8.1), ("2026-01-02", 8.4), ("2026-01-03", 9.0)
    ]  # fmt: skip
