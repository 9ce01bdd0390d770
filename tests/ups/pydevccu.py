"""pydevccu, a CCU that others have made, under the Python 3.13 of a Debian trixie: pi may log in with secret.

with pydevccu({"sv_USV_ups.load": "FLOAT"}) as port: ...

tests/run has put both into the cache.
"""

import contextlib
import json
import subprocess
from collections.abc import Iterator, Mapping

from tests.kit import CACHE, free_port

PYDEVCCU = CACHE / "pydevccu-0.2.6"
TRIXIE = CACHE / "root-trixie"
_IN_ITS_ROOT = """
mount --bind "$1" "$2/mnt"
exec chroot "$2" env PYTHONPATH=/mnt PYTHONDONTWRITEBYTECODE=1 python3 -c "$3" "$4" "$5" "$6"
"""
_SERVE = """
import asyncio, json, sys
from pydevccu import BackendMode, VirtualCCU

async def main():
    ports, variables = [int(each) for each in sys.argv[1:3]], json.loads(sys.argv[3])
    ccu = VirtualCCU(
        mode=BackendMode.OPENCCU, xml_rpc_port=ports[0], json_rpc_port=ports[1], username="pi", password="secret", devices=["HM-Sec-SC-2"]
    )
    for name, kind in variables.items():
        value = {"BOOL": False, "FLOAT": 0.0}.get(kind, "")
        ccu.state_manager.add_system_variable(name=name, var_type=kind, value=value, max_value=65000.0)
    await ccu.start()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await ccu.stop()

asyncio.run(main())
"""


@contextlib.contextmanager
def pydevccu(variables: Mapping[str, str]) -> Iterator[int]:
    """The port of its JSON-RPC; `variables` are names and types (BOOL, FLOAT, STRING). Root, in a mount namespace of its own."""
    ports = [str(free_port()) for _ in range(2)]
    words = ["unshare", "-m", "sh", "-ec", _IN_ITS_ROOT, "sh", str(PYDEVCCU), str(TRIXIE), _SERVE, *ports, json.dumps(variables)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            assert process.stdout.readline() == "ready\n"
            yield int(ports[1])
        finally:
            process.stdin.close()
            process.wait(20)
