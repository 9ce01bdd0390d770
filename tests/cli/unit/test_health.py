"""When an instance is unwell."""

from typing import Any

from pimains.cli.plan import Facts, troubles, unsettled

WELL = Facts(state="up", wanted_up=True, paused=False, restarts=False, log_state="up", unwell="")


def test_up_and_content_is_well() -> None:
    assert troubles(WELL) == []


def test_down_because_somebody_said_so_is_well() -> None:
    assert troubles(WELL._replace(state="down", wanted_up=False)) == []


def test_down_though_wanted_up_is_not() -> None:
    assert troubles(WELL._replace(state="down")) == ["down, though wanted up"]


def test_what_the_instance_says_of_itself_is_told() -> None:
    assert troubles(WELL._replace(unwell="no answer from plug.lan")) == ["no answer from plug.lan"]


def test_a_stopped_supervise_is_not_well_whatever_it_last_said() -> None:
    assert troubles(WELL._replace(state="stopped")) == ["its supervise does not answer: it is stopped (kill -CONT lets it go on)"]
    assert troubles(WELL._replace(log_state="stopped")) == [
        "the supervise of its log does not answer: it is stopped (kill -CONT lets it go on)"
    ]


def test_restarts_are_told_once_not_as_being_down_too() -> None:
    assert len(troubles(WELL._replace(state="down", restarts=True))) == 1


def test_a_log_that_is_down_loses_words() -> None:
    assert troubles(WELL._replace(log_state="down")) == ["its log service is down: what it says is lost"]


def test_without_supervise_nothing_is_said_of_the_log_as_well() -> None:
    assert len(troubles(WELL._replace(state="unsupervised", log_state="unsupervised"))) == 1


def test_one_that_was_made_a_moment_ago_is_given_the_time_that_svscan_takes() -> None:
    assert troubles(Facts("unsupervised", True, False, False, "unsupervised", "", is_new=True)) == []


def test_what_only_root_may_see_is_held_against_nobody() -> None:
    assert troubles(WELL._replace(state="unseen", wanted_up=False, log_state="unseen")) == []


def test_paused_is_told() -> None:
    assert troubles(WELL._replace(paused=True)) == ["paused: svc -c lets it go on"]


def test_a_removed_package_is_told() -> None:
    assert "package was removed" in troubles(WELL._replace(template_is_there=False))[0]


def look_again(state: str, seconds: float | None, *, wanted_up: bool = True, **said: Any) -> bool:
    return unsettled(state, seconds, wanted_up=wanted_up, **{"status": "stopped", "status_age": 9.0, "error_age": None, **said})


def test_only_what_was_just_started_needs_a_second_look() -> None:
    assert look_again("up", 1)
    assert look_again("down", 0)
    assert look_again("up", None)
    assert not look_again("up", 3)
    assert not look_again("down", 1, wanted_up=False)
    assert not look_again("unseen", None, wanted_up=False)


def test_what_spoke_for_itself_since_it_was_started_needs_none() -> None:
    assert not look_again("up", 1, status="ready", status_age=0.9)
    assert look_again("up", 1, status="starting", status_age=0.9)
    assert look_again("up", 1, status="ready", status_age=1.5), "that was the one before"
    assert look_again("up", 1, status="ready", status_age=0.9, error_age=2), "it failed just now, and may again"
