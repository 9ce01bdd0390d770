"""What a person is answered who cancels an outage, by how far it had come; the table of plan.outage says what is done."""

from typing import NamedTuple

from pimains.shared.plan.outage import Outage, Phase, Role

_DONE = {
    Phase.SHEDDING: "nobody else is ordered down, and who was is woken",
    Phase.RETURNING: "the outage is over, and nobody is woken",
    Phase.WAKING: "the outage is over, and nobody else is woken",
}
_REFUSED = {
    Role.PRIMARY: "FSD is set; secondaries are going down",
    Role.APART: "FSD is set; secondaries are going down",
    Role.SECONDARY: "the primary has set FSD; its other secondaries are going down, too",
    Role.ALONE: "this machine shuts down by its own limits, and stays up when the mains are back; pimains halt --cancel asks halt",
}


class Answer(NamedTuple):
    """In words, and whether there is nothing that the person would have otherwise."""

    text: str
    is_ok: bool = True


def answer(before: Outage | None) -> Answer:
    """To a cancel that finds the outage like this."""
    if before is None:
        return Answer("nothing to cancel")
    if before.is_begun:
        return Answer(_REFUSED[before.role], is_ok=False)
    if apart := [name for name, each in before.apart.items() if each.is_begun]:
        return Answer(f"{', '.join(apart)}: {_REFUSED[Role.APART]}", is_ok=False)
    return Answer(_DONE.get(before.phase, "nothing to cancel"))
