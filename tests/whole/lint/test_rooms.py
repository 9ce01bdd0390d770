"""The law of the rooms, where import-linter cannot say it."""

from grimp import build_graph

ROOMS_OF_ALL = ("shared", "core")


def room(module: str) -> str:
    return module.split(".")[1]


def test_what_stands_in_shared_or_core_is_used_by_two_rooms_at_least() -> None:
    """A module that one room uses belongs into that room."""
    graph = build_graph("pimains")
    users = {
        module: {room(user) for user in graph.find_downstream_modules(module) if user.count(".") > 1} - {*ROOMS_OF_ALL}
        for module in graph.modules
        if module.count(".") > 1 and room(module) in ROOMS_OF_ALL and not graph.find_children(module)
    }
    assert len(users) > 30
    assert {module: found for module, found in users.items() if len(found) < 2} == {}
