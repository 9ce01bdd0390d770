"""What tests/fserver/bench/nfs_machine.py has measured inside its machine, as root; says lines of JSON: what, and how long or how."""

import json
import subprocess
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SHARE = Path("/var/lib/mpd/MDrive")
STATUS = Path("/run/pimains/fclient/status")
IN_CLIENT = "nsenter --net=/run/netns/client"
AUTOMOUNT = "/usr/sbin/automount --pid-file /run/autofs.pid"
FILES = {
    "/etc/exports": "/MDrive 10.93.0.0/24(rw,async,no_root_squash,no_subtree_check)",
    "/etc/auto.master.d/mpd.autofs": "/var/lib/mpd /etc/autofs.mounts --timeout=60",
    "/etc/autofs.mounts": "MDrive -fstype=nfs4,hard,retry=0 10.93.0.1:/MDrive",
    "/etc/systemd/system/autofs.service.d/client.conf": f"[Service]\nExecStart=\nExecStart=/usr/bin/{IN_CLIENT} {AUTOMOUNT}",
    "/etc/systemd/system/player.service": f"[Service]\nExecStart=tail -f {SHARE}/Music/song",
}
NETWORK = """set -e
ip netns add client
ip link add lan type bridge && ip link set lan up
ip link add eth-s type veth peer name plug-s && ip link add eth-c netns client type veth peer name plug-c
ip address add 10.93.0.1/24 dev eth-s && ip -n client address add 10.93.0.2/24 dev eth-c
for device in eth-s plug-s plug-c; do ip link set $device up; done
ip -n client link set lo up && ip -n client link set eth-c up
ip link set plug-s master lan && ip link set plug-c master lan
"""


def sh(command: str) -> str:
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


def say(what: str, value: str) -> None:
    print(json.dumps([what, value]), flush=True)


def until(condition: Callable[[], object], seconds: float, what: str) -> float:
    """How long it took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() > began + seconds:
            raise AssertionError(f"not within {seconds} s: {what}; fclient: {STATUS.read_text() if STATUS.exists() else '-'}")
        time.sleep(0.02)
    return time.monotonic() - began


def kind() -> str:
    """The type of what is mounted as the share, '' if nothing is."""
    mounts = [line.split(" - ") for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    kinds = [after.split()[0] for before, after in mounts if before.split()[4] == str(SHARE)]
    return kinds[-1] if kinds and kinds[-1] != "autofs" else ""


def is_up() -> bool:
    return kind() == "nfs4" and "started: player" in STATUS.read_text()


def set_up() -> None:
    for path, text in FILES.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text + "\n")
    sh(NETWORK)
    sh("mkdir -p /MDrive/Music && echo one song >/MDrive/Music/song && for i in $(seq 200); do echo $i >/MDrive/Music/$i; done")
    sh("systemctl daemon-reload && systemctl restart nfs-server")
    said = sh("create_service --service_name=fserver --host=10.93.0.1 --mdrive=/MDrive --add-service")
    secret = next(line for line in said.splitlines() if line.strip().startswith("echo ")).split()[1]
    Path("/root/secret").write_text(secret + "\n")
    sh("mkdir -p /etc/service-of-client")
    sh(
        "create_service --servicedir=/etc/service-of-client --service_name=fclient --host=10.93.0.1 --secret=@/root/secret"
        " --marker=Music --units='autofs player' --add-service"
    )
    subprocess.Popen([*IN_CLIENT.split(), "svscan", "/etc/service-of-client"])
    say("set up -> mounted by NFS, its unit runs", f"{until(lambda: STATUS.exists() and is_up(), 120, 'the share'):.2f} s")
    say("mounted as", sh(f"grep ' {SHARE} nfs4 ' /proc/mounts").split()[3])


def main() -> None:
    say("boot", f"{float(Path('/proc/uptime').read_text().split()[0]):.0f} s")
    set_up()
    for number in ("first", "second"):
        sh("echo 3 >/proc/sys/vm/drop_caches")
        sh("ip link set plug-s nomaster")
        began = time.monotonic()
        hanging = subprocess.Popen(["ls", "-l", f"{SHARE}/Music"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        slowest = 0.0
        # beside the ls, each of which takes a while on a slow processor
        gone = ThreadPoolExecutor(1).submit(until, lambda: not kind(), 60, "the share to be gone")
        while time.monotonic() < began + 8:
            at = time.monotonic()
            if subprocess.run(["timeout", "10", "ls", SHARE.parent], capture_output=True, check=False).returncode == 124:
                slowest = 99
            slowest = max(slowest, time.monotonic() - at)
            time.sleep(0.1)
        say(f"cable cut, the {number} time -> unmounted (allowed 5 s)", f"{gone.result():.2f} s")
        say("  the slowest ls of the directory above, meanwhile (allowed 1 s)", f"{slowest:.2f} s")
        say("  an ls of the share that was under way", f"ended with {hanging.wait(60)} after {time.monotonic() - began:.1f} s at most")
        until(lambda: "waiting for" in STATUS.read_text(), 60, "the units to be stopped")
        say("  -> units stopped", f"{time.monotonic() - began:.2f} s at most")
        sh("ip link set plug-s master lan")
        say("  cable back -> mounted, its unit runs", f"{until(is_up, 120, 'the share to be back'):.2f} s")
    sh("svc -d /etc/service/fserver")
    say("server told to stop -> unmounted (allowed 1 s)", f"{until(lambda: not kind(), 60, 'the share to be gone'):.2f} s")
    sh("svc -u /etc/service/fserver")
    say("server up again -> mounted, its unit runs", f"{until(is_up, 120, 'the share to be back'):.2f} s")
    sh("svc -d /etc/service/fserver")
    until(lambda: not kind(), 60, "the share to be gone, before what shares it stops")
    for line in sh("tai64nlocal </var/log/pimains/fclient/current").splitlines():
        if any(words in line for words in ("is gone", "unmounted", "stopping", "joined", "is mounted")):
            say("fclient", line)
    say("done", f"{float(Path('/proc/uptime').read_text().split()[0]):.0f} s after the start")


try:
    main()
except BaseException:
    traceback.print_exc()
    subprocess.run(["sh", "-c", "tail -n 30 /var/log/pimains/*/current; journalctl -n 60 --no-pager; mount"], check=False)
