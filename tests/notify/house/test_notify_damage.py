"""Whatever becomes of notify's files, it goes on, and people hear of each message that was lost, with what can be read of it."""

import json
import os
import shutil

import pytest

from pimains.core import notify_queue
from tests import damage
from tests.kit import House
from tests.notify.mail_server import PASSWORD, MailServer, certificate

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


@pytest.mark.parametrize("name", damage.DAMAGES)
def test_messages_on_their_way_that_are_damaged_are_kept_and_told(house: House, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIMAINS_ROOT", str(house.root))
    mail = MailServer(*certificate(house.root / "certs"))
    house.closing.callback(mail.close)
    settings = {"MAIL_TO": "anna@example.org", "MAIL_FROM": "pi@example.org", "MAIL_HOST": "localhost", "MAIL_PORT": str(mail.port)}
    settings |= {"MAIL_USER": "pi", "MAIL_PASSWORD": PASSWORD, "MAIL_CA": str(house.root / "certs/localhost.pem")}
    notify = house.add("notify", **settings, THROTTLE_SECONDS="0")
    house.until(lambda: notify.status not in ("", "starting"))
    damage.down(notify)
    message = ["1-1", "power", "Power is away", "at noon", ["b", 1.0, 1e9], ["b", 1.0, 1e9], 0, [], 0.0]
    files = [notify.lib / "outbox/1-1", notify.lib / "held/power", notify.lib / "queue/2-2"]
    for path in files[:2]:
        path.write_text(json.dumps(message) + "\n")
    files[2].write_text("water\nWater is away\n")
    others = [notify.lib / "test", notify.lib / "dropped", notify.run / "sent", notify.lib / "lock"]
    for path in others[:3]:
        path.write_text("")
    for path in [*files, *others]:
        shutil.chown(path, "pimains")
    damage.do(name, *files, *others)
    if name in ("lost", "of another owner"):
        damage.up(notify)
        house.until(lambda: name == "lost" or mail.subjects.count("Power is away") >= 1, what=notify.log)
        damage.settled(notify)
        return
    damage.up(notify)
    house.until(lambda: any("a message was " in subject for subject in mail.subjects), what=notify.log)
    house.until(lambda: not notify_queue.waiting(), what=notify.log)
    notify.until_logged("outbox-message.corrupt-1", "held-message.corrupt-1")
    notify_queue.post("Power is back", "", "power-back")
    house.until(lambda: any("Power is back" in subject for subject in mail.subjects), what=notify.log)
    damage.settled(notify)
