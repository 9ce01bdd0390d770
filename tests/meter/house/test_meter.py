"""The meter service, on pins that gpiozero's mock factory moves: it counts, keeps, and delivers."""

import contextlib
import json
import random
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.kit import TOP, House, until
from tests.meter.meters import TOKEN, Collector, Meter


def command(house: House, *words: str) -> subprocess.CompletedProcess[str]:
    env = {"PYTHONPATH": str(TOP / "lib"), "PATH": "/usr/bin:/bin", "PIMAINS_ROOT": str(house.root)}
    told = ["/usr/bin/python3", "-P", "-m", "pimains.cli", *words, f"--servicedir={house.scan}"]
    return subprocess.run(told, env=env, capture_output=True, text=True, check=False)


def test_pulses_become_a_total(house: House) -> None:
    meter = Meter(house, IMPULSES_PER_KWH="1000")
    house.until(lambda: "pin factory House" in meter.instance.log)
    meter.pins("24 pulses 2500")
    house.until(lambda: meter.instance.read("total") == "2.500" and "2.500 kWh" in meter.instance.status)
    assert meter.pulses == 2500


def test_kill_9_between_any_two_pulses_loses_none_and_repeats_none(house: House) -> None:
    with Collector() as collector:
        meter = Meter(house, COLLECTOR=collector.url, TOKEN=TOKEN)
        luck = random.Random(4)
        bursts = [luck.randrange(1, 4000) for _ in range(8)]
        for burst in bursts:
            meter.pins(f"24 pulses {burst}", "kill")
        meter.pins("24 pulses 10")
        house.until(lambda: meter.pulses == sum(bursts) + 10, 100)
        house.until(lambda: collector.knows().get("count") == sum(bursts) + 10)
        assert collector.knows()["face"] is None


def test_a_restart_neither_resets_nor_repeats(house: House) -> None:
    meter = Meter(house)
    meter.pins("24 pulses 7", "24 low")
    house.until(lambda: meter.pulses == 8)
    for _ in range(2):
        before = meter.instance.pid
        meter.instance.svc("-t")
        house.until(lambda before=before: meter.instance.pid not in (0, before))
        house.until(lambda: "0.008 kWh" in meter.instance.status)
    assert meter.pulses == 8


def test_what_a_meter_showed_does_not_stay_when_it_is_stopped_but_for_its_total(house: House) -> None:
    meter = Meter(house)
    meter.pins("24 pulses 1", "wait 1.5", "24 pulses 4 0.05 0.05")
    house.until(lambda: meter.instance.read("total") == "0.005" and meter.instance.read("power"))
    meter.instance.svc("-d")
    house.until(lambda: meter.instance.status == "stopped")
    assert (meter.instance.read("power"), meter.instance.read("power_is"), meter.instance.read("total")) == ("", "", "0.005")


def test_s0_pulses_with_bounces_are_counted_exactly(house: House) -> None:
    meter = Meter(house, BOUNCE_MS="20")
    meter.pins("24 pulses 100 0.030 0.0325 0.002")
    meter.pins("24 pulses 10 0.2 0.1 0.002", "24 low")
    house.until(lambda: meter.pulses >= 111)
    assert meter.pulses == 111


def test_closings_too_short_to_be_pulses_are_ignored_and_said(house: House) -> None:
    meter = Meter(house, BOUNCE_MS="20")
    meter.pins("24 pulses 30 0.002 0.030")
    house.until(lambda: "BOUNCE_MS: 30 closings did not last that long" in meter.instance.status)
    assert meter.pulses == 0


def test_readings_are_delivered_once_the_collector_is_there_again(house: House) -> None:
    with Collector() as collector:
        meter = Meter(house, COLLECTOR=collector.url, TOKEN=TOKEN)
        meter.pins("24 pulses 100")
        house.until(lambda: collector.knows().get("count") == 100)
        collector.say("answer 503")
        meter.pins("24 pulses 100")
        house.until(lambda: "it answers 503" in meter.instance.status)
        collector.say("answer 200")
        house.until(lambda: collector.knows().get("count") == 200)
        house.until(lambda: "delivered" in meter.instance.status and "503" not in meter.instance.status)
        house.until(lambda: "collector: well again" in meter.instance.log)


def test_a_collector_that_is_well_again_is_said_though_there_is_always_another_reading_to_bring(house: House) -> None:
    with Collector() as collector:
        meter = Meter(house, COLLECTOR=collector.url, TOKEN=TOKEN)
        collector.say("answer 503")
        house.until(lambda: "it answers 503" in meter.instance.status)
        collector.say("slow 1.5")  # longer than INTERVAL, as a collector that has few commits
        house.until(lambda: "delivered" in meter.instance.status and "503" not in meter.instance.status)


def test_what_a_collector_stored_without_saying_so_is_sent_again_and_stored_once(house: House) -> None:
    with Collector() as collector:
        meter = Meter(house, COLLECTOR=collector.url, TOKEN=TOKEN)
        house.until(lambda: collector.knows().get("readings", 0) >= 1)
        collector.say("forget")
        house.until(lambda: "wait" in meter.instance.status)
        collector.say("answer 200")
        house.until(lambda: "delivered" in meter.instance.status)
        meter.instance.svc("-d")
        house.until(lambda: meter.instance.status == "stopped")
        with contextlib.closing(sqlite3.connect(meter.instance.lib / "journal.sqlite")) as journal:
            (taken,) = journal.execute("select max(sequence) from readings").fetchone()
        meter.instance.svc("-u")  # the last ones may have had no time to be delivered
        house.until(lambda: collector.knows()["readings"] >= taken)


def test_a_wrong_token_is_said_and_pulses_are_counted_on(house: House) -> None:
    with Collector() as collector:
        meter = Meter(house, COLLECTOR=collector.url, TOKEN="wrong")
        house.until(lambda: "variables/TOKEN: the collector does not take it (401)" in meter.instance.status)
        assert meter.instance.read("unwell")
        meter.pins("24 pulses 3")
        house.until(lambda: meter.instance.read("total") == "0.003")


def test_a_collector_proves_itself_by_its_certificate_or_its_fingerprint(house: House, tmp_path: Path) -> None:
    certificate = tmp_path / "both.pem"
    made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=collector"
    words = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key", "-out", tmp_path / "cert"]
    subprocess.run([*made.split(), *words], check=True, capture_output=True)
    certificate.write_bytes((tmp_path / "cert").read_bytes() + (tmp_path / "key").read_bytes())
    (house.root / "ca.pem").write_bytes((tmp_path / "cert").read_bytes())
    (house.root / "ca.pem").chmod(0o644)
    said = subprocess.run(
        ["openssl", "x509", "-in", tmp_path / "cert", "-noout", "-fingerprint", "-sha256"], check=True, capture_output=True, text=True
    ).stdout
    fingerprint = said.strip()  # as people copy it
    with Collector("--certificate", str(certificate)) as collector:
        meter = Meter(house, COLLECTOR=collector.url, TOKEN=TOKEN, FINGERPRINT="0" * 64)
        house.until(lambda: "FINGERPRINT: the collector's certificate is not believed" in meter.instance.status)
        assert collector.knows() == {}
        meter.instance.set("FINGERPRINT", fingerprint)
        meter.instance.svc("-t")
        house.until(lambda: collector.knows().get("readings"))
        meter.instance.set("FINGERPRINT", "")
        meter.instance.svc("-t")
        house.until(lambda: "CA: the collector's certificate is not believed" in meter.instance.status)
        meter.instance.set("CA", str(house.root / "ca.pem"))
        meter.instance.svc("-t")
        house.until(lambda: "delivered" in meter.instance.status)


def test_the_total_is_set_to_what_the_face_shows(house: House) -> None:
    with Collector() as collector:
        meter = Meter(house, COLLECTOR=collector.url, TOKEN=TOKEN)
        meter.pins("24 pulses 500")
        house.until(lambda: meter.instance.read("total") == "0.500")
        done = command(house, "meter", "set", "12345.6")
        assert done.stdout == "meter: total is 12345.600 kWh now, was 0.500 kWh\n", done.stderr
        meter.pins("24 pulses 100")
        house.until(lambda: meter.instance.read("total") == "12345.700")
        house.until(lambda: collector.knows().get("face") == [500, 12345.6])
        assert "set its total to 12345.600 kWh" in command_why(house)
        pid = meter.instance.pid
        meter.instance.kill(signal.SIGKILL)
        house.until(lambda: meter.instance.pid not in (0, pid) and "12345.700 kWh" in meter.instance.status)
        assert json.loads(command(house, "meter", "--json").stdout)["meter"]["total"] == 12345.7


def command_why(house: House) -> str:
    env = {"PYTHONPATH": str(TOP / "lib"), "PATH": "/usr/bin:/bin", "PIMAINS_ROOT": str(house.root)}
    told = ["/usr/bin/python3", "-P", "-m", "pimains.cli", "why", "meter"]
    return subprocess.run(told, env=env, capture_output=True, text=True, check=True).stdout


def test_a_total_that_is_none_is_refused(house: House) -> None:
    meter = Meter(house, START_TOTAL="100")
    for words, complaint in (
        (["set"], "TOTAL is missing"),
        (["set", "x"], "is no number"),
        (["set", "1e99"], "is no total"),
        (["show", "5"], "meter set 5"),
    ):
        refused = command(house, "meter", *words)
        assert refused.returncode == 1
        assert complaint in refused.stderr
    house.until(lambda: meter.instance.read("total") == "100.000")


def test_the_halt_step_has_readings_and_count_saved(house: House) -> None:
    meter = Meter(house, COMMIT_SECONDS="600", INTERVAL="3600")
    meter.pins("24 pulses 42")
    house.until(lambda: meter.pulses == 42)
    step = TOP / "services/meter/halt.d/30-meter"
    env = {"PATH": "/usr/bin:/bin", "PIMAINS_ROOT": str(house.root), "PIMAINS_BUDGET_SECONDS": "10"}
    done = subprocess.run([step], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("meter: saved in ")
    assert b", 42, " in (meter.instance.lib / "count").read_bytes()


def test_the_halt_step_does_not_wait_its_whole_budget_for_a_meter_that_was_killed_for_good(house: House) -> None:
    meter = Meter(house)
    house.until(lambda: "kWh" in meter.instance.status)
    meter.instance.svc("-ok")
    house.until(lambda: meter.instance.pid == 0)
    env = {"PATH": "/usr/bin:/bin", "PIMAINS_ROOT": str(house.root), "PIMAINS_BUDGET_SECONDS": "120"}
    done = subprocess.run([TOP / "services/meter/halt.d/30-meter"], env=env, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (1, "meter does not run\n", "")
    assert "meter is not running" in command(house, "meter", "set", "5").stderr


def test_without_a_pin_factory_that_works_it_says_what_to_install(house: House) -> None:
    meter = house.add("meter", GPIOZERO_PIN_FACTORY="lgpio")
    until(lambda: "apt install python3-lgpio" in meter.status)
    assert meter.read("unwell")


@pytest.mark.skipif(any(Path("/dev").glob("gpiochip*")), reason="this machine has GPIO")
@pytest.mark.parametrize("factory", ["", "lgpio", "nonsense" * 20], ids=["none named", "lgpio", "nonsense"])
def test_without_gpio_it_says_once_and_in_one_short_line_what_to_do(house: House, factory: str) -> None:
    meter = house.add("meter", IMPULSES_PER_KWH="1000", GPIOZERO_PIN_FACTORY=factory, PIMAINS_SPEED="60")  # it tries again each second
    house.until(lambda: "pin factory" in meter.status)
    tried = {meter.pid}
    house.until(lambda: tried.add(meter.pid) or len(tried - {0}) > 2, what="two more tries")
    house.until(lambda: "pin factory" in meter.status)
    line = meter.read("unwell")
    assert line.startswith("pin factory" if factory else "this machine has no GPIO of a Raspberry Pi, and no pin factory works (")
    assert len(line) <= 120
    meter.until_logged(line)
    assert meter.log.count("pin factory") == 1
