"""The runner under a real supervise: start, stop, settings edited while it runs, crashes."""

from kit import House


def test_a_service_says_how_it_is_and_stops_when_told(house: House) -> None:
    halt = house.add("halt", HALT_COMMAND=house.recorder)
    house.until(lambda: halt.status == "ready")
    halt.svc("-d")
    house.until(lambda: halt.pid == 0 and halt.status == "stopped")


def test_a_wrong_setting_is_said_once_and_waited_for_until_it_is_edited(house: House) -> None:
    halt = house.add("halt", HALT_COMMAND=house.recorder, STEP_SECONDS_MAX="soon")
    line = f"{halt.directory}/variables/STEP_SECONDS_MAX: 'soon' is no time in seconds (1-3600)"
    house.until(lambda: halt.status == line)
    pid = halt.pid
    assert halt.read("unwell") == line
    halt.set("STEP_SECONDS_MAX", "60")
    house.until(lambda: halt.status == "ready")
    assert halt.pid != pid
    assert halt.log.count(line) == 1
    assert halt.read("unwell") == ""
    assert house.halts() == []


def test_the_log_has_multilogs_time_stamps_and_the_service_none(house: House) -> None:
    halt = house.add("halt", HALT_COMMAND="")
    house.until(lambda: "HALT_COMMAND: is empty" in halt.log)
    assert all(line.startswith("@4000") for line in halt.log.splitlines())
