"""A replay over what really was recorded: relays, rules and a collector at work."""

import json
import os
import subprocess
from typing import Any

import pytest

from tests.kit import TOP, House, free_port, until
from tests.rules.rules import Rules

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


def replayed(house: House) -> dict[str, Any]:
    """What the command tells; nothing while there is no journal yet."""
    words = ["/usr/bin/python3", "-P", "-m", "pimains.cli", "rule", "replay", "1", "--since=1h", "--every=1", "--json"]
    env = {"PYTHONPATH": str(TOP / "lib"), "PATH": "/usr/bin:/bin", "PIMAINS_ROOT": str(house.root)}
    done = subprocess.run([*words, f"--servicedir={house.scan}"], env=env, capture_output=True, text=True, check=False)
    return dict(json.loads(done.stdout)) if done.returncode == 0 else {}


def times_on(house: House) -> tuple[int, ...]:
    """As it would have been, and as it was; nothing while that is not known."""
    found = replayed(house)
    return tuple(found[which]["times_on"] for which in ("would_have_been", "really") if found.get(which))


def test_what_the_collector_has_seen_of_a_relay_stands_beside_what_its_rule_would_have_done(house: House) -> None:
    (house.root / "tokens").mkdir()
    record = {"RECORD": "mppt/PPV=W relays/1.state", "RECORD_SECONDS": "1", "COMMIT_SECONDS": "0"}
    own = {"LISTEN": f"127.0.0.1:{free_port()}", "TOKENS": str(house.root / "tokens")}
    collector = house.add("collector", svscan=False, **own, **record)
    rules = Rules(house, {"WATTS": "1000"})
    rules.put("mppt/PPV", "0")
    rules.write(1, "return (ON, 'sun') if data['mppt/PPV'] > 500 else (OFF, 'no sun')")
    until(lambda: times_on(house) == (0, 0), what=collector.story)
    rules.put("mppt/PPV", "600")
    rules.until(1, "state", "on")
    until(lambda: times_on(house) == (1, 1), what=collector.story)
    rules.put("mppt/PPV", "100")
    rules.until(1, "state", "off")
    until(lambda: replayed(house)["runs"][0]["end"], what=collector.story)
    found = replayed(house)
    assert [(run["because"], run["ended_because"]) for run in found["runs"]] == [("sun", "no sun")]
    assert (found["would_have_been"]["times_on"], found["really"]["times_on"], found["watts"]) == (1, 1, 1000)
    assert abs(found["would_have_been"]["hours"] - found["really"]["hours"]) < 10 / 3600
    assert (found["lost"], found["not_recorded"]) == ([], [])
