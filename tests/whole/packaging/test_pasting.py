"""Every block of commands in README and the manuals, pasted in one go into a shell of a Debian where the packages were just installed.

A pasted line does not wait for a service to come up, and what a program reads from its standard input are the lines behind it. A
block that cannot be had here says why, in ELSEWHERE.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import TOP, until
from tests.whole.debian_root import DebianRoot, debian_root

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a Debian to paste in")
DOCUMENTS = [path.relative_to(TOP) for path in (TOP / "README.md", *sorted(TOP.glob("services/*/README.md")))]
_BLOCK = re.compile(r"^( *)```sh\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
# by how the block begins
ELSEWHERE = {
    "sudo ./create_service --demo": "a checkout's own: tests/create_service/house/test_demo.py",
    "tests/run": "what runs this",
    "debian/build": "a checkout's own: test_installing.py installs what it builds",
    "sudo apt install ./dist/*.deb": "a checkout's own: test_upgrading.py",
    "sudo systemctl disable --now autofs mpd": "needs systemd, autofs and a server: test_machines.py",
    "sudo ssh-keygen": "needs a server with sshd: test_machines.py",
    "sudo systemctl enable pimains-usb-off": "needs systemd",
    "sudo systemctl disable --now RPiMP.service": "needs RPiMP",
    "cd /service/fserver": "needs pistop",
    "sudo apt install apprise": "needs Debian's archive",
    "sudo apt install nut-server": "needs Debian's archive",
    "sudo systemctl disable --now nut-monitor": "needs systemd and NUT",
    "sudo pimains ups host": "needs a host with sshd: tests/ups/house/test_hosts_command.py",
    "rsync -av rsync://music.lan": "needs the music of a server",
    "export REQUESTS_CA_BUNDLE": "a line of POWERPI's own script",
    "sudo pimains rule replay": "needs weeks of a collector's: tests/rules/house/test_rule_replay.py",
    "curl --cacert /etc/pimains/collector.pem": "needs a Pi that ran POWERPI",
}
_ANOTHER_PI = """create_service --service_name=meter --del-service >/dev/null
create_service --service_name=gas --del-service >/dev/null
"""
_CERTIFICATE = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=nas.lan -keyout nas.key -out /etc/pimains/nas.pem"
_PTYS = "mkdir /dev/pts; mount -t devpts -o ptmxmode=666 devpts /dev/pts; ln -s pts/ptmx /dev/ptmx"
# what a reader has or does before it, in a shell of root's
BEFORE = {
    "sudo pimains ups import": "mkdir -p /etc/nut; echo 'MONITOR ups@nas.lan 1 monuser secret secondary' >/etc/nut/upsmon.conf",
    "sudo svc -d /etc/service/collector": "mkdir -p /mnt/disk",
    "sudo apt install rsync\nsudo mkdir": "mkdir -p /MDrive",
    "sudo apt install ./dist/python3-nut2": "ln -s /srv/dist dist; echo secret >ups-password.txt; echo secret >mail-password.txt",
    "sudo create_service --service_name=ups --tls": _CERTIFICATE,
    "sudo create_service --service_name=ups --ccu": "echo secret >ccu-password.txt",
    "sudo create_service --service_name=halt --add-service\nsudo create_service --service_name=plug": "echo >key.txt",
    "sudo create_service --service_name=plug --instance=diskplug": "echo >disk-key.txt",
    "sudo create_service --service_name=web --password": "echo 'a good password' >password.txt",
    "sudo openssl req": "echo 'a good password' >password.txt",
    "sudo create_service --service_name=meter --pin=24 --impulses_per_kwh=1000 --source=house": "echo a-token-of-the-house >token.txt",
    "sudo create_service --service_name=meter --pin=24 --impulses_per_kwh=2000 --source=house": f"{_ANOTHER_PI}echo a-token >token.txt",
    "sudo create_service --service_name=vedirect --instance=vedirect.sun": _PTYS,
    "sudo python3 -m pimains.house.capture": "printf 'PID\\t0x203' >day.ve",
    "sudo create_service --service_name=notify --mail_host": "echo secret >mail-password.txt",
}
# lines that may end with another status than 0 here, and why
MAY_FAIL = {
    "pimains meter set 12345.6 --instance=meter": "a block before it has given the meter the pins of a Pi, which this is not",
    "pimains meter replace --impulses=800 0.3 --instance=meter": "the same",
    'pimains halt --rehearse "before': "what the block before it asks for is carried out, this Debian would be off",
    "cat /run/pimains/fserver/clients": "no client ever joined",
    ":8460/v1/": "a block before it has the collector speak TLS",
    "page=http": "a block before it has the page speak TLS",
    "$page/v1/": "the same",
    "pimains halt --cancel": "too late: the request before it was carried out, this Debian would be off",
    "pimains ups": "there is no upsd here",
    "pimains rehearse": "1 where an outage would not go well",
    "ls /dev/serial/by-id": "no cable is plugged in here",
    "pimains status": "1 when something is unwell: there is no plug and no GPIO here",
    "pimains plug": "there is no plug here",
    "pimains notify --test": "there is no mail server here",
    "pimains rule check": "1 while a rule is lost: there is no relay and no battery monitor here",
    "pimains energy": "1 before the first reading",
}
_NOT_UP = """cd /etc/service; for each in *; do [ -e $each/down ] || [ ! -d $each/variables ] ||
    [ -e /run/pimains/$each/status ] || echo $each; done"""
_SHELL = """
export HOME=/root
cd
trap 'echo "exit $? of: $BASH_COMMAND" >>/root/failures' ERR
"""


def blocks(document: Path) -> list[str]:
    """Those of a document, as they are pasted."""
    found = _BLOCK.findall((TOP / document).read_text())
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


def beginning(table: dict[str, str], block: str) -> str:
    """What a table says of a block; '' if nothing."""
    return next((words for begins, words in table.items() if block.startswith(begins)), "")


@pytest.fixture
def root(tmp_path: Path) -> Iterator[DebianRoot]:
    """Debian 12 with all that a block installs, our packages just installed, svscan running, and nothing made yet."""
    with debian_root("bookworm", tmp_path, more="pasting") as root:
        root.install("/srv/dist/*.deb")
        root.run("ln -s /proc/self/fd /dev/fd && ln -s fd/0 /dev/stdin && ln -s fd/1 /dev/stdout && ln -s fd/2 /dev/stderr")
        plugs = "sonoffs26.local diskplug.local tvplug.local"
        names = f"localhost {os.uname().nodename} pi.lan music.lan {plugs} smtp.example.org nas.lan shed.lan"
        (root.top / "etc/hosts").write_text(f"127.0.0.1 {names}\n")
        # this Debian has no systemd, and nothing in it could halt anything
        (root.top / "sbin/shutdown").write_text('#!/bin/sh\necho "$*" >>/srv/halted\n')
        (root.top / "sbin/shutdown").chmod(0o755)
        # nor has it pins
        for service, factory, name, where in (
            ("meter", "pimains-house", "PIMAINS_HOUSE_PINS", "/pins\\nwhere they are moved"),
            ("relays", "pimains-house", "PIMAINS_HOUSE_OUTPUTS", "/outputs\\nwhere they tell what they do"),
            ("panel", "pimains-panel", "PIMAINS_HOUSE_PANEL", "\\nwhere its boards are"),
        ):
            settings = f"/usr/share/pimains/services/{service}/variables"
            root.run(f"cd {settings} && printf '{factory}\\nsimulated pins\\n' >GPIOZERO_PIN_FACTORY")
            root.run(f"cd {settings} && printf '/run/pimains/{service}{where}\\n' >{name}")
        root.start_svscan()
        yield root


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_its_blocks_can_be_pasted_in_one_go(document: Path, root: DebianRoot) -> None:
    for block in blocks(document):
        if beginning(ELSEWHERE, block):
            continue
        (root.top / "root/block").write_text(f"{_SHELL}{beginning(BEFORE, block)}\n{block}")
        said = root.run("rm -f /root/failures; bash </root/block 2>&1; cat /root/failures 2>/dev/null", check=False)
        failed = re.findall(r"^exit [0-9]+ of: (.*)$", said, re.MULTILINE)
        unexpected = [line for line in failed if not any(may in line for may in MAY_FAIL)]
        assert not unexpected, f"{block}\n{said}"
        assert "Traceback" not in said, f"{block}\n{said}"
        # who reads on needs longer than a service to come up
        until(lambda: not root.run(_NOT_UP).split(), what=f"what {block} made to be up")


def test_what_cannot_be_pasted_here_is_in_some_document() -> None:
    everything = [block for document in DOCUMENTS for block in blocks(document)]
    for begins in (*ELSEWHERE, *BEFORE):
        assert any(block.startswith(begins) for block in everything), begins
