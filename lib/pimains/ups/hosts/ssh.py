"""Logging in at a host: the ssh program, which asks nobody anything, knows one host key, and has so many seconds.

What is allowed is in authorized_keys there (`authorized`): it tells the boot id of the host, then does COMMAND, or nothing for `true`.
Nothing of ssh's own configuration is read. It blocks: talk.py has it done by a child.

Source: ssh(1), ssh_config(5), sshd(8) AUTHORIZED_KEYS FILE FORMAT; proc_sys_kernel(5), random/boot_id.
"""

import os
import re
import selectors
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pimains.core.errors import Away, Refused, WrongSetting
from pimains.core.plan.text import short_line
from pimains.ups.hosts.settings import HostSettings, Target

LOGIN_SECONDS = 15.0
COMMAND_SECONDS = 30.0
NOTHING = "true"  # a command that does nothing
_CONNECT_SECONDS = 8
_NOT_ALLOWED = 126
_ALIVE_SECONDS = 5
_SSH_FAILED = 255
_HEARD_BYTES = 64 * 1024
_GOODBYE_SECONDS = 0.5
_BOOT_ID = re.compile(r"^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\r?$", re.MULTILINE)
_CUT_OFF = re.compile(r"Connection to \S+ closed by remote host|client_loop: |Read from remote host|Timeout, server \S+ not responding")
_UNREACHABLE = re.compile(r"ssh: connect to host \S+ port \d+: (.+?)\r?$", re.MULTILINE)


class _Ending(NamedTuple):
    """How ssh ended: `code` is None where it had to be ended."""

    code: int | None
    output: str
    errors: str

    @property
    def boot_id(self) -> str:
        """Of the host, "" where its authorized_keys does not tell it."""
        match = _BOOT_ID.search(self.output)
        return match[1] if match else ""


def look(host: HostSettings, seconds: float = LOGIN_SECONDS) -> str:
    """Log in and do nothing; returns the boot id of the host, "" where its authorized_keys does not tell that.

    Raises Away for a host that is not there now, Refused for one that does not take us or is not the one we know, WrongSetting for a key.
    """
    ending = _ssh(host, NOTHING, seconds)
    if ending.code != 0:
        raise _error(host, NOTHING, ending, seconds)
    return ending.boot_id


def order(host: HostSettings, seconds: float = COMMAND_SECONDS) -> str:
    """Give COMMAND, which has ended, or the host has cut us off over it, when this returns: the boot id as for `look`.

    Raises as `look` does. Away may mean that the host has got it all the same: who is down is told by proof.py alone.
    """
    ending = _ssh(host, host.COMMAND, seconds)
    was_cut_off = ending.code == _SSH_FAILED and _CUT_OFF.search(ending.errors)  # said after the login alone
    if ending.code != 0 and not was_cut_off:
        raise _error(host, host.COMMAND, ending, seconds)
    return ending.boot_id


def authorized(command: str, public_key: str) -> str:
    """The line for authorized_keys at the host: whoever has the key may have `command` done there, or nothing."""
    cases = f"{NOTHING}) ;; '{command}') exec {command} ;; *) exit {_NOT_ALLOWED} ;;"
    told = f'cat /proc/sys/kernel/random/boot_id 2>/dev/null; case \\"$SSH_ORIGINAL_COMMAND\\" in {cases} esac'
    return f'restrict,command="{told}" {public_key}'


def words(host: HostSettings, target: Target, command: str) -> list[str]:
    """How ssh is called."""
    options = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": _quoted(host.known_hosts),
        "GlobalKnownHostsFile": "/dev/null",
        "UpdateHostKeys": "no",
        "HostKeyAlias": host.name,
        "CheckHostIP": "no",
        "IdentityFile": _quoted(host.key),
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "PreferredAuthentications": "publickey",
        "ClearAllForwardings": "yes",
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "RequestTTY": "no",
        "ConnectionAttempts": "1",
        "ConnectTimeout": str(_CONNECT_SECONDS),
        "ServerAliveInterval": str(_ALIVE_SECONDS),
        "ServerAliveCountMax": "2",
        "LogLevel": "ERROR",
    }
    given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return ["ssh", "-F", "none", "-n", *given, "-p", str(target.port), "-l", target.user, "--", target.host, command]


def _quoted(path: Path) -> str:
    """As ssh_config(5) has a file's name: with blanks and percent signs in it as they are."""
    return '"' + str(path.absolute()).replace("%", "%%") + '"'


def _ssh(host: HostSettings, command: str, seconds: float) -> _Ending:
    if host.SSH is None:
        raise WrongSetting(f"{host.directory / 'SSH'}: is empty; {host.name} cannot be logged in at")
    for path, what in ((host.key, "key"), (host.known_hosts, "pinned host key")):
        if not os.access(path, os.R_OK):
            there = "may not be read by the service's user" if path.exists() else "is not there"
            raise WrongSetting(f"{path}: the {what} {there} (sudo pimains ups host add {host.name} puts that right)")
    pipe, environment = subprocess.PIPE, _environment(os.environ)
    try:
        ssh = subprocess.Popen(words(host, host.SSH, command), stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=environment)
    except FileNotFoundError:
        raise Away("the program ssh is missing: sudo apt install openssh-client") from None
    with ssh:
        output, errors = _heard(ssh, time.monotonic() + seconds)
        has_ended = _ends_now(ssh)
    return _Ending(ssh.returncode if has_ended else None, _text(output), _text(errors))


def _heard(ssh: "subprocess.Popen[bytes]", until: float) -> tuple[bytes, bytes]:
    """What it says until it ends, or until then: where the host says much, the beginning of its output and the end of its errors."""
    output = errors = b""
    with selectors.DefaultSelector() as selector:
        for pipe in filter(None, (ssh.stdout, ssh.stderr)):
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map() and (left := until - time.monotonic()) > 0:
            for ready, _ in selector.select(left):
                said = os.read(ready.fd, _HEARD_BYTES)
                if not said:
                    selector.unregister(ready.fileobj)
                elif ready.fileobj is ssh.stdout:
                    output = (output + said)[:_HEARD_BYTES]
                else:
                    errors = (errors + said)[-_HEARD_BYTES:]
    return output, errors


def _ends_now(ssh: "subprocess.Popen[bytes]") -> bool:
    """Whether it ends by itself once it says no more; else it is ended."""
    try:
        ssh.wait(_GOODBYE_SECONDS)
    except subprocess.TimeoutExpired:
        ssh.kill()
        return False
    return True


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """Errors in the words that `_error` knows, and no agent."""
    return {**{name: value for name, value in given.items() if name != "SSH_AUTH_SOCK"}, "LC_ALL": "C"}


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace")


def _error(host: HostSettings, command: str, ending: _Ending, seconds: float) -> Away | Refused | WrongSetting:
    """What went wrong, and what to do about it."""
    at, errors = str(host.SSH), ending.errors
    again = f"sudo pimains ups host add {host.name}"
    if ending.code is None:
        if ending.boot_id:
            return Away(f"{at}: logged in, but {command!r} has not ended within {seconds:g} s")
        return Away(f"{at}: hangs: no end of the login within {seconds:g} s")
    if "HOST IDENTIFICATION HAS CHANGED" in errors or "Host key verification failed" in errors:
        return Refused(f"{at}: its host key is not the pinned one: nothing was sent. If it was installed anew, {again} pins the new one")
    if "Load key" in errors or "UNPROTECTED PRIVATE KEY" in errors:
        return WrongSetting(f"{host.key}: ssh does not take this key: {_last(errors, 'Load key')}")
    if "Permission denied" in errors and ending.code == _SSH_FAILED:
        return Refused(f"{at}: does not take our key: the line that {again} prints belongs into ~/.ssh/authorized_keys there")
    if "Could not resolve hostname" in errors:
        return Away(f"{at}: there is no such name now ({host.address})")
    if found := _UNREACHABLE.search(errors):
        return Away(f"{at}: cannot be reached: {found[1].lower()}")
    if ending.code == _SSH_FAILED:
        return Away(f"{at}: {short_line(_last(errors)) or 'ssh failed without a word'}")
    if ending.code == _NOT_ALLOWED:
        return Refused(f"{at}: {command!r} is not what its authorized_keys allows: put the line there that {again} prints")
    return Refused(f"{at}: logged in, but {command!r} failed (exit {ending.code}): {short_line(_last(errors)) or 'it said nothing'}")


def _last(text: str, having: str = "") -> str:
    lines = [line for line in text.splitlines() if line.strip() and having in line]
    return lines[-1] if lines else ""
