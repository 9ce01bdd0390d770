"""What the page Power asks and answers, with the files that services leave: tokens, refusals, and what nobody is told twice."""

import threading
from collections.abc import Iterator

import pytest

from pimains.core import state
from pimains.core.machine import own_name
from pimains.shared import fserver_clients, halt_request
from pimains.shared.fserver_clients import PresentClient
from tests.kit import House, until
from tests.web.asking import PASSWORD, Asked
from tests.web.household import can_be_asked, directory_of, household


@pytest.fixture
def web(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    with household(house, monkeypatch) as web:
        web.log_in()
        yield web


def is_here(house: House, *names: str) -> None:
    """The list that an fserver leaves."""
    fserver_clients.leave(directory_of(house, "fserver"), [PresentClient(name, "10.0.0.2", 1.8e9, "is mounted") for name in names])


def confirm(web: Asked, token: str, **more: str) -> tuple[int, str]:
    answer = web.act("/v1/power/confirm", token=token, **more)
    return answer.status_code, str(answer.json().get("error") or answer.json()["outcome"])


@pytest.fixture
def taker() -> Iterator[None]:
    """Takes the next request, as a halt service does."""
    is_over = threading.Event()

    def take() -> None:
        until(lambda: is_over.is_set() or halt_request.take())

    thread = threading.Thread(target=take)
    thread.start()
    yield
    is_over.set()
    thread.join()


def test_without_a_halt_service_nothing_is_begun_and_why_is_told(web: Asked) -> None:
    assert "no halt service was started" in web.get("/v1/power").json()["halt"]["why_not_asked"]
    answer = web.act("/v1/power/halt")
    assert (answer.status_code, "no halt service" in answer.json()["error"]) == (409, True)


def test_one_request_halts_nothing(house: House, web: Asked) -> None:
    can_be_asked(house)
    said = web.act("/v1/power/halt", reason="the fuse box").json()
    assert (said["machine"], said["clients"], said["reason"]) == (own_name(), [], "the fuse box")
    assert halt_request.pending() is None


def test_the_second_one_needs_the_token_and_the_name_of_this_machine_and_counts_once(
    house: House, web: Asked, request: pytest.FixtureRequest
) -> None:
    can_be_asked(house)
    token = web.act("/v1/power/halt").json()["token"]
    assert confirm(web, "another", machine=own_name())[0] == 409
    assert confirm(web, token, machine="another") == (400, f"machine: not {own_name()}, so nothing is shut down")
    assert confirm(web, token)[0] == 400
    assert halt_request.pending() is None
    request.getfixturevalue("taker")
    assert confirm(web, token, machine=own_name().upper()) == (200, "asked")
    assert str(halt_request.accepted()) == "asked for on the page (asked by web, 127.0.0.1)"
    assert web.get("/v1/power").json()["halt"]["stage"] == "accepted"
    assert confirm(web, token, machine=own_name())[0] == 409
    assert web.act("/v1/power/halt").json()["error"].startswith("under way already: asked for on the page")


def test_a_request_that_nobody_takes_is_taken_back(house: House, web: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pimains.web.api.power._ANSWER_SECONDS", 0.1)
    can_be_asked(house)
    token = web.act("/v1/power/halt").json()["token"]
    status, said = confirm(web, token, machine=own_name())
    assert (status, "it was taken back, and this machine stays up" in said) == (409, True)
    assert halt_request.pending() is None


def test_a_token_is_of_one_session(house: House, web: Asked) -> None:
    can_be_asked(house)
    token = web.act("/v1/power/halt").json()["token"]
    web.log_in(PASSWORD)
    assert confirm(web, token, machine=own_name())[0] == 409
    assert halt_request.pending() is None


def test_good_night_is_for_file_servers_and_asks_again_when_somebody_has_come(house: House, web: Asked) -> None:
    can_be_asked(house)
    assert web.act("/v1/power/halt", good_night=True).status_code == 409
    house.add("fserver", svscan=False)
    is_here(house, "kitchen")
    until(lambda: web.get("/v1/power").json()["file_servers"])
    said = web.act("/v1/power/halt", good_night=True).json()
    assert (said["clients"], said["reason"]) == (["kitchen"], "good night")
    is_here(house, "bath", "kitchen")
    assert confirm(web, said["token"], machine=own_name()) == (409, "meanwhile bath came: nothing is done; ask once more")
    assert halt_request.pending() is None


def test_a_cancel_is_asked_for_twice_as_well(house: House, web: Asked) -> None:
    can_be_asked(house)
    assert web.act("/v1/power/cancel").json()["error"] == "there is no shutdown to cancel"
    halt_request.ask("bedtime", "anna")
    assert web.get("/v1/power").json()["halt"]["stage"] == "asked"
    said = web.act("/v1/power/cancel").json()
    assert (said["under_way"], said["ran"]) == ("bedtime (asked by anna)", [])
    assert str(halt_request.pending()) == "bedtime (asked by anna)"
    threading.Timer(0.1, halt_request.take_cancel).start()
    assert confirm(web, said["token"]) == (200, "cancelled")
    assert halt_request.pending() is None


def test_what_somebody_else_asks_for_meanwhile_is_not_said_to_be_cancelled(
    house: House, web: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pimains.web.api.power._ANSWER_SECONDS", 0.5)
    can_be_asked(house)
    halt_request.ask("bedtime", "anna")
    token = web.act("/v1/power/cancel").json()["token"]

    def ask_again() -> None:
        until(lambda: halt_request.pending() is None)
        halt_request.ask("a storm", "ben")
        halt_request.take()

    thread = threading.Thread(target=ask_again)
    thread.start()
    assert confirm(web, token) == (200, "not answered")
    thread.join()
    assert str(halt_request.accepted()) == "a storm (asked by ben)"


def test_a_cancel_that_comes_too_late_says_why(house: House, web: Asked) -> None:
    can_be_asked(house)
    halt_request.ask("the UPS is low", "ups", is_final=True)
    halt_request.take()
    told = web.get("/v1/power").json()["halt"]
    assert (told["stage"], told["can_be_cancelled"]) == ("accepted", False)
    token = web.act("/v1/power/cancel").json()["token"]
    halt_request.note_progress(["cancel refused to web\tother machines go down with this one"])
    threading.Timer(0.1, halt_request.take_cancel).start()
    answer = web.act("/v1/power/confirm", token=token).json()
    assert answer == {"outcome": "too late", "why": "other machines go down with this one"}


def test_only_plugs_of_other_machines_are_switched_and_only_where_their_service_takes_orders(house: House, web: Asked) -> None:
    for name, feeds in (("own", "this"), ("tv", "another")):
        house.add("plug", name, svscan=False, FEEDS=feeds, HOST="127.0.0.1")
        directory_of(house, name)
    until(lambda: len(web.get("/v1/power").json()["plugs"]) == 2)
    assert "this machine's own plug" in web.act("/v1/power/plugs/own", to="off").json()["error"]
    assert web.act("/v1/power/plugs/tv", to="on").json()["error"] == "tv: its service takes no orders now"
    assert web.act("/v1/power/plugs/tv", to="maybe").status_code == 400
    assert web.act("/v1/power/plugs/nobody", to="on").status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("halt", {"reason": 5}),
        ("halt", {"reason": "x" * 201}),
        ("halt", {"good_night": "yes"}),
        ("halt", {"force": True}),
        ("cancel", {"now": True}),
    ],
)
def test_what_is_no_request_is_refused_with_its_name(house: House, web: Asked, path: str, body: dict[str, object]) -> None:
    can_be_asked(house)
    halt_request.ask("bedtime", "anna")
    answer = web.act(f"/v1/power/{path}", **body)
    assert (answer.status_code, next(iter(body)) in answer.json()["error"]) == (400, True)


def test_what_a_dead_ups_service_has_said_of_the_battery_is_not_reckoned_with(house: House, web: Asked) -> None:
    can_be_asked(house)
    house.add("ups", svscan=False)
    run = directory_of(house, "ups")
    state.write(run / "battery.runtime", "2100")
    until(lambda: web.get("/v1/power/plan").json()["battery_runtime_seconds"] == 2100)
    (run / "alive").touch()  # nobody holds it
    assert web.get("/v1/power/plan").json()["battery_runtime_seconds"] is None


def test_the_plan_is_that_of_a_dry_run_and_what_keeps_it_away_is_told(house: House, web: Asked) -> None:
    can_be_asked(house)
    plan = web.get("/v1/power/plan").json()
    assert [step["name"] for step in plan["steps"]][:2] == ["05-update", "10-relays"]
    assert plan["total_seconds"] > 0
    assert (plan["battery_seconds"], plan["plug_countdown_seconds"]) == (None, None)
