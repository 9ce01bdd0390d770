"""The description of the collector's API is true: it names what the service answers, and nothing else."""

import asyncio
from pathlib import Path

from pimains.collector.graphs.pictures import Graphs
from pimains.collector.news import News
from pimains.collector.pages import openapi
from pimains.collector.prices import Prices
from pimains.collector.service import Desk
from pimains.collector.settings import CollectorSettings
from pimains.collector.store import Store
from pimains.core.instance import Instance
from pimains.shared.readings.standing_prices import Asked
from tests.kit import TOP


def test_it_describes_every_path_and_method_that_is_answered(tmp_path: Path) -> None:
    variables = TOP / "services/collector/variables"
    defaults = {path.name: path.read_text().partition("\n")[0] for path in variables.iterdir()}
    settings = CollectorSettings({**defaults, "COMPAT": "powerpi", "POWERPI_LOGINS": str(tmp_path)})
    me = Instance("collector", tmp_path)
    prices = Prices(Asked(None, None, None, ""), tmp_path)
    store = Store(tmp_path / "journal.sqlite", Graphs(tmp_path / "rrd", tmp_path / "graphs", 366, prices), News(me), me.clock)

    async def answered() -> set[tuple[str, str]]:
        app = Desk(me, settings, store, prices).app()
        return {(route.resource.canonical, route.method.lower()) for route in app.router.routes() if route.resource}

    routes = asyncio.run(answered())
    store.close()
    described = {(path, method) for path, methods in openapi.document()["paths"].items() for method in methods}
    assert {each for each in routes if each[1] != "head"} == described


def test_only_readings_need_a_token_or_a_login_and_nothing_else_is_posted() -> None:
    readers: list[dict[str, list[str]]] = [{}, {"password": []}]
    needs = {"/v1/readings": [{"token": []}], "/get.php": [{"login": []}]}
    for path, methods in openapi.document()["paths"].items():
        for method, what in methods.items():
            assert what["security"] == needs.get(path, readers)
            assert (method == "post") == (path == "/v1/readings")
