"""A backup comes back as it was, by the tools of who looks closely: getfacl, getcap, getfattr, stat, du."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimains.core import templates
from pimains.create_service import making
from pimains.shared.backup import last_backup
from tests.fclient.one_client import SECRET
from tests.fserver.drives import Server, file_server

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts file systems, gives files away: needs root")

# what files can have: each of it is looked at below
_MAKE = r"""
mkdir -p "$1/shared/drop" "$1/links" "$1/odd" && cd "$1"
echo diary >shared/diary; chown 1234:4321 shared/diary; chmod 640 shared/diary
setfacl -m u:1235:rw,g:4322:r shared/diary
setfacl -d -m u:1236:rwx shared/drop; chmod 2770 shared/drop; echo x >shared/drop/x
echo tool >tool; chmod 755 tool; setcap cap_net_raw+ep tool; cp tool setuid; chmod 4711 setuid
echo tagged >tagged; setfattr -n user.xdg.tags -v holiday tagged; setfattr -n trusted.secret -v 0x00ff0a tagged
setfattr -n user.of -v directory shared
truncate -s 100M holes; echo end >>holes; printf in | dd of=holes bs=1 seek=50M conv=notrunc status=none
ln shared/diary links/same; ln -s ../nowhere links/dangling; mkfifo links/pipe; mknod links/null c 1 3
printf 1 >"odd/of two
lines"; printf 2 >"odd/caf$(printf '\351')"; printf 3 >odd/-rf; printf 4 >odd/--delete; printf 5 >"odd/$(printf 'x%.0s' $(seq 255))"
printf 6 >'odd/ * [a] \? $HOME `id`'; printf 7 >odd/.hidden
find . -depth -print0 | xargs -0 touch -h -d '2001-02-03 04:05:06.789'
touch -d '2002-02-03 04:05:06.123' odd shared/drop .
"""
# hard links by the path that has the smallest name of each inode; a directory's size is the file system's own affair
_LOOK = r"""
cd "$1"
getfacl -R -n -P . 2>&1 | cat -v
getcap -r . 2>&1 | cat -v
getfattr -R -h -d -m - -e hex . 2>&1 | cat -v
find . -printf '%P|%y|%m|%U|%G|%T@|%l|' \( -type d -printf '\0' -o -printf '%n|%s\0' \) | LC_ALL=C sort -z | tr '\0' '\n' | cat -v
find . -samefile shared/diary | LC_ALL=C sort
stat -c '%t:%T' links/null
find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum -- | cat -v
"""


class Rights:
    """A source and a drive, each on an ext4 of its own, in a mount namespace of the test."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.source = server.root / "source"
        self.source.mkdir()

    def mount(self, *words: str | Path) -> None:
        done = self.server.inside("mount", *words)
        if done.returncode:
            pytest.skip(f"this machine cannot mount that: {done.stdout.strip()}")

    def prepare(self, **variables: str) -> Path:
        assert self.server.inside("mkdir", self.server.place / "backup").returncode == 0
        settings = {"BACKUP": str(self.tree), "DEST": str(self.server.place), "SECRET": SECRET, **variables}
        making.create(templates.all_of_them()["fserver"], self.server.root / "etc/service", "fserver", settings, down=True)
        run = self.server.root / "run/pimains/fserver"
        run.mkdir()
        return run

    @property
    def tree(self) -> Path:
        return self.source / "tree"

    def script(self, text: str, directory: Path) -> str:
        done = self.server.inside("sh", "-ec", text, "sh", directory)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def words(self, *words: str | Path) -> list[str]:
        place = f"--servicedir={self.server.root / 'etc/service'}"
        return ["/usr/bin/python3", "-Pm", "pimains.cli", "backup", *map(str, words), place]

    def backup(self, *words: str | Path) -> "subprocess.CompletedProcess[str]":
        return self.server.inside(*self.words(*words))

    def backup_of_a_service(self) -> str:
        """What a service that has one made gets to log."""
        words = ["nsenter", f"--mount=/proc/{self.server.pid}/ns/mnt", *self.words("now", "--until-eof")]
        environment = {**os.environ, **self.server.environment}
        with subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as made:
            assert made.stdout
            said = made.stdout.read()
            assert made.wait(60) == 0
            return said


@pytest.fixture
def rights() -> Iterator[Rights]:
    with file_server() as server:
        yield Rights(server)


@pytest.fixture
def on_ext4(rights: Rights) -> Rights:
    """With a tree of all that files can have."""
    missing = [tool for tool in ("setfacl", "setfattr", "setcap") if not shutil.which(tool)]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: apt install acl attr libcap2-bin")
    try:
        rights.server.mount()
        rights.mount(rights.server.make_disk("source.img"), rights.source)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no loop device: {error}")
    rights.script(_MAKE, rights.tree)
    return rights


def kilobytes(rights: Rights, directory: Path) -> int:
    return int(rights.script('du -skx "$1"', directory).split()[0])


@pytest.mark.parametrize("keep", ["0", "2"])
def test_what_files_have_comes_back_as_it_was(on_ext4: Rights, keep: str) -> None:
    rights = on_ext4
    rights.prepare(BACKUP_KEEP=keep)
    before = rights.script(_LOOK, rights.tree)
    for sign in ("user:1235:rw-", "default:user:1236:rwx", "cap_net_raw=ep", "trusted.secret=0x00ff0a", "-rf|f", "caf", "links/pipe|p"):
        assert sign in before
    for _ in range(2):  # the second onto the first
        made = rights.backup("now", "--json")
        assert made.returncode == 0, made.stdout
        assert json.loads(made.stdout)[0]["without"] == []
    back = rights.source / "back"
    restored = rights.backup("restore", rights.tree, "--to", back)
    assert restored.returncode == 0, restored.stdout
    assert rights.script(_LOOK, back / "tree") == before
    assert kilobytes(rights, back) < 200, "of 100 MB of holes"
    assert rights.script('ls -A "$1"', back) == "tree\n", "nothing is left of how it was done"


def test_what_is_replaced_comes_back_with_its_rights_and_directories_with_their_times(on_ext4: Rights) -> None:
    rights = on_ext4
    rights.prepare(BACKUP_KEEP="2")
    before = rights.script(_LOOK, rights.tree)
    assert rights.backup("now").returncode == 0
    rights.script(
        'cd "$1"; setfacl -b shared/diary; echo worse >shared/diary; setcap -r tool; rm links/pipe; rm -r odd; chmod 700 shared',
        rights.tree,
    )
    restored = rights.backup("restore", rights.tree, "--to", rights.source, "--overwrite")
    assert restored.returncode == 0, restored.stdout
    rights.script('find "$1" -name "*.before-restore-*" -printf "%f " -exec cat {} \\; | grep -q "^diary.*worse$"', rights.tree)
    remove_kept = 'for d in shared links; do when=$(stat -c %y $d); rm $d/*.before-restore-*; touch -d "$when" $d; done'
    rights.script(f'cd "$1"; {remove_kept}', rights.tree)
    assert rights.script(_LOOK, rights.tree) == before


def test_what_a_drive_cannot_hold_is_said_once_and_the_backup_goes_on_without(on_ext4: Rights) -> None:
    """ramfs: no ACLs, no extended attributes."""
    rights = on_ext4
    assert rights.server.inside("umount", rights.server.place).returncode == 0
    rights.mount("-t", "ramfs", "ram", rights.server.place)
    run = rights.prepare(BACKUP_KEEP="2")
    missing = "without ACLs, extended attributes"
    made = rights.backup("now")
    assert made.returncode == 0, made.stdout
    assert made.stdout.count(missing) == 1
    assert f"backed up {missing}: the file system of {rights.server.place} (ramfs) cannot hold them" in made.stdout
    line = (run / "backup").read_text()
    assert line.startswith("done ")
    assert f" {missing}: " in line
    assert last_backup.for_status(line).endswith(missing)
    assert missing not in rights.backup_of_a_service(), "the log has it already"
    (run / "backup").unlink()
    assert rights.backup_of_a_service().count(missing) == 1
    back = rights.source / "back"
    assert rights.backup("restore", rights.tree, "--to", back).returncode == 0
    assert rights.script('getcap "$1/tool"', back / "tree") == ""
    assert rights.script('cat "$1/shared/diary"', back / "tree") == "diary\n"


def test_a_drive_of_exfat_gets_what_it_can_hold(rights: Rights) -> None:
    if not shutil.which("mkfs.exfat") or not shutil.which("mount.exfat-fuse"):
        pytest.skip("no exFAT: apt install exfatprogs exfat-fuse")
    try:
        device = rights.server.make_disk()
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no loop device: {error}")
    subprocess.run(["mkfs.exfat", device], stdout=subprocess.DEVNULL, check=True)
    done = rights.server.inside("mount.exfat-fuse", device, rights.server.place)
    if done.returncode:
        pytest.skip(f"this machine cannot mount exFAT: {done.stdout}")
    rights.script('mkdir "$1"; cd "$1"; echo a >a; chmod 640 a; chown 5:6 a; ln a b; ln -s a link', rights.tree)
    rights.prepare(BACKUP_KEEP="2")
    for _ in range(3):
        made = rights.backup("now", "--json")
        assert made.returncode == 0, made.stdout
    without = ["owners", "rights", "ACLs", "links", "hard links", "extended attributes"]
    assert json.loads(made.stdout)[0]["without"] == without
    listed = json.loads(rights.backup("list", "--json").stdout)["backups"]
    assert [row["state"] for row in listed] == ["complete", "complete"]
    restored = rights.backup("restore", rights.tree, "--to", rights.source / "back")
    assert restored.returncode == 0, restored.stdout
    assert rights.script('cd "$1"; ls; cat a b', rights.source / "back/tree") == "a\nb\na\na\n"
    # and the other way: what such a drive is given back
    assert rights.backup("restore", rights.tree, "--to", rights.server.place / "stick").returncode == 0
