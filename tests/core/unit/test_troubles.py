"""What is wrong is said once, and once when it is over."""

import pytest

from pimains.core.troubles import Troubles


class Said(list[str]):
    """What people read."""


@pytest.fixture
def said() -> Said:
    return Said()


def test_a_trouble_that_stays_is_said_once_and_once_when_it_is_over(said: Said) -> None:
    troubles = Troubles(said.append, said.append)
    for trouble in ("", "disk full", "disk full", "disk full", "", "", "disk full"):
        troubles.look("count", trouble)
    assert said == ["disk full", "count: well again", "disk full"]


def test_another_trouble_about_the_same_is_said_as_well_but_not_one_of_the_same_kind(said: Said) -> None:
    troubles = Troubles(said.append)
    troubles.look("plug", "no answer")
    troubles.look("plug", "refused")
    for seconds in (1, 2, 3):
        troubles.look("clock", f"it is {seconds} s ahead", kind="ahead")
    troubles.look("clock", "it is 1 s behind", kind="behind")
    assert said == ["no answer", "refused", "it is 1 s ahead", "it is 1 s behind"]


def test_all_that_is_wrong_is_told_in_its_newest_words_in_the_order_in_which_it_was_looked_at(said: Said) -> None:
    troubles = Troubles(said.append)
    troubles.look("contact", "")
    troubles.look("journal", "full")
    troubles.look("contact", "1 edge was lost", kind="lost")
    troubles.look("contact", "2 edges were lost", kind="lost")
    assert troubles.now() == ["2 edges were lost", "full"]
    troubles.look("journal", "")
    assert troubles.now() == ["2 edges were lost"]
    troubles.forget()
    assert troubles.now() == []
    troubles.look("contact", "3 edges were lost", kind="lost")
    assert said == ["full", "1 edge was lost", "3 edges were lost"]
