"""Which countdown of a plug a machine calls off, and when it tells the plug again."""

from itertools import product

from pimains.plug.plan.standing_halt import CALL_OFF, FORGET, LEAVE, TELL_AGAIN, due

YES_NO = (True, False)


def test_what_others_began_is_left_to_them() -> None:
    for is_to_stay, is_going_down, is_counting_down, is_powered in product(YES_NO, (True, False, None), YES_NO, YES_NO):
        given = {"is_going_down": is_going_down, "is_counting_down": is_counting_down, "is_powered": is_powered}
        assert due(was_told=False, is_to_stay=is_to_stay, **given) == LEAVE


def test_a_countdown_of_ours_is_called_off_when_the_machine_stays_up() -> None:
    for is_going_down, is_to_stay in ((False, False), (False, True), (True, True), (None, True)):
        given = {"is_to_stay": is_to_stay, "is_going_down": is_going_down, "is_powered": True}
        assert due(was_told=True, is_counting_down=True, **given) == CALL_OFF
        assert due(was_told=True, is_counting_down=False, **given) == FORGET


def test_a_plug_that_was_restarted_is_told_again_while_the_machine_goes_down() -> None:
    given = {"was_told": True, "is_to_stay": False}
    assert due(is_going_down=True, is_counting_down=False, is_powered=True, **given) == TELL_AGAIN
    assert due(is_going_down=True, is_counting_down=False, is_powered=False, **given) == LEAVE
    assert due(is_going_down=True, is_counting_down=True, is_powered=True, **given) == LEAVE


def test_where_no_halt_service_can_be_asked_nothing_is_done() -> None:
    for is_counting_down in YES_NO:
        assert due(was_told=True, is_to_stay=False, is_going_down=None, is_counting_down=is_counting_down, is_powered=True) == LEAVE
