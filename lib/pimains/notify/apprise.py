"""Everything that Debian's apprise can reach (ntfy, Telegram, Matrix, ...), through its command.

The addresses are secrets: they come from a file, are handed on in a file that has no name, and appear in no argument.
"""

import os
import re
import zlib
from pathlib import Path
from typing import NamedTuple

from pimains.core.errors import Away, WrongSetting
from pimains.core.failure import with_own_text

_COMPLAINT = re.compile(r" - (?:WARNING|ERROR|CRITICAL) - (.*)")
_NO_ADDRESS = ("Unparseable", "Unsupported", "Invalid", "at least one server URL")


class Address(NamedTuple):
    """One line of the file: `id` stands for it and gives nothing away, `name` is what people may read of it."""

    id: str
    name: str
    config: str


def addresses(path: Path) -> list[Address]:
    """The addresses in apprise's configuration file `path`: one for each line, or one for the whole of a YAML file.

    None at all when the file is not there. Raises another OSError when it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip() and line.strip()[0] not in "#;"]
    if any(re.match(r"(urls|version)\s*:", line) for _, line in lines):
        return [Address(_id(text), f"apprise ({path.name})", text)]
    return [Address(_id(line), f"apprise ({_service(line)}, line {number} of {path.name})", line + "\n") for number, line in lines]


def send(address: Address, subject: str, body: str, seconds_max: float) -> None:
    """Send one message to one address; may take seconds to load, and `seconds_max` in all.

    Raises WrongSetting when apprise does not understand the address, Away when it is not installed or could not deliver.
    """
    import subprocess  # not before it is needed: in the process that delivers

    config = _nameless_file(address.config)
    try:
        result = subprocess.run(
            ["apprise", "-v", f"--config=/proc/self/fd/{config}", f"--title={subject}"],
            input=body.encode("utf-8", "replace"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds_max,
            pass_fds=[config],
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": os.environ.get("HOME", "/"),
                "LC_ALL": "C.UTF-8",
                "APPRISE_STORAGE_MODE": "memory",
            },
            check=False,
        )
    except FileNotFoundError:
        raise Away("apprise is not installed (apt install apprise)") from None
    except subprocess.TimeoutExpired:
        raise Away(f"no end within {seconds_max:g} s") from None
    if result.returncode:
        complaints = _COMPLAINT.findall(result.stdout.decode("utf-8", "replace"))
        if any(complaint.startswith(_NO_ADDRESS) or _NO_ADDRESS[-1] in complaint for complaint in complaints):
            raise WrongSetting("apprise does not understand this address")
        raise Away(failed(complaints, result.returncode))


def failed(complaints: list[str], code: int) -> str:
    """Why it could not deliver, in words; `complaints` is what it has logged."""
    said = complaints[-1] if complaints else ""
    answer = re.search(r"error=([0-9]{3})\b", said)
    if answer:
        why = f"the service does not take it: it answers {answer[1]}"
    elif "onnection error" in said:
        why = "no connection to the service"
    else:
        why = "the service was not reached, or did not take it" if said else f"apprise failed with exit code {code}"
    return with_own_text(why, said)


def _nameless_file(text: str) -> int:
    handle = os.memfd_create("address")
    os.write(handle, text.encode())
    return handle


def _id(text: str) -> str:
    return f"apprise-{zlib.crc32(text.encode()):08x}"


def _service(line: str) -> str:
    found = re.search(r"([a-z0-9]{1,20})://", line.lower())
    return found[1] if found else "no address"
