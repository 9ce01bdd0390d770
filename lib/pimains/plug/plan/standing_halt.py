"""Whether the countdown of a plug, running or not, is what this machine's halt wants: who began one owns it until it is called off."""

LEAVE = ""
CALL_OFF = "call off"
TELL_AGAIN = "tell again"
FORGET = "forget"


def due(*, was_told: bool, is_to_stay: bool, is_going_down: bool | None, is_counting_down: bool, is_powered: bool) -> str:
    """What a connected plug has to be told now.

    `was_told`: we told it of a halt in this boot, and did not call that off since; what others began is theirs.
    `is_to_stay`: the halt was called off when the plug could not be told. `is_going_down` is None where no halt service can be asked.
    """
    if not was_told:
        return LEAVE
    if is_to_stay or is_going_down is False:
        return CALL_OFF if is_counting_down else FORGET
    if is_going_down and is_powered and not is_counting_down:  # it was restarted, or somebody has called it off in its place
        return TELL_AGAIN
    return LEAVE
