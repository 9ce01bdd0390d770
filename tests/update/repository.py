"""An apt repository inside a Debian root, the only one it has, with packages made for a test.

repository = Repository(root)
repository.add("alpha", "1", files={"/etc/alpha.conf": "one"}, conffiles=["/etc/alpha.conf"])
root.run("apt-get update && apt-get install alpha")
"""

import subprocess
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.whole.debian_root import DebianRoot


class Repository:
    """file:/srv/repository, without signatures; what is in it is seen after the next apt-get update."""

    def __init__(self, root: DebianRoot) -> None:
        self._root = root
        self._directory = root.top / "srv/repository"
        self._directory.mkdir(exist_ok=True)
        root.run("rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*")
        self._sources = root.top / "etc/apt/sources.list"
        self._sources.write_text("deb [trusted=yes] file:/srv/repository ./\n")
        self._publish()

    def add(
        self,
        name: str,
        version: str,
        *,
        files: Mapping[str, str] | None = None,
        conffiles: Sequence[str] = (),
        depends: str = "",
        postinst: str = "",
    ) -> None:
        """A package of our own."""
        tree = self._root.top / "srv/build" / f"{name}-{version}"
        (tree / "DEBIAN").mkdir(parents=True)
        control = f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: A test <test@home.arpa>\n"
        control += f"Depends: {depends}\n" if depends else ""
        (tree / "DEBIAN/control").write_text(f"{control}Description: made for a test\n")
        for path, text in (files or {}).items():
            (tree / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            (tree / path.lstrip("/")).write_text(text + "\n")
        if conffiles:
            (tree / "DEBIAN/conffiles").write_text("".join(f"{path}\n" for path in conffiles))
        if postinst:
            (tree / "DEBIAN/postinst").write_text(f"#!/bin/sh\nset -e\n{textwrap.dedent(postinst)}\n")
            (tree / "DEBIAN/postinst").chmod(0o755)
        self._build(tree)

    def add_newer(self, package: str, version: str, edit: str = "true") -> None:
        """An installed package or a .deb again, with a later version, after the shell commands `edit` in its files."""
        self._root.run(
            f"""set -e
            tree=/srv/build/newer-{Path(package).name}-{version}
            dpkg-deb -R {package} $tree
            cd $tree
            sed -i 's/^Version:.*/Version: {version}/' DEBIAN/control
            {edit}"""
        )
        self._build(self._root.top / "srv/build" / f"newer-{Path(package).name}-{version}")

    def add_newer_of_installed(self, package: str, version: str) -> None:
        """A package of Debian that is installed, again, with the same files and scripts and a later version."""
        tree = f"/srv/build/newer-{package}-{version}"
        self._root.run(
            f"""set -e
            mkdir -p {tree}/DEBIAN
            for field in Package Architecture Maintainer Depends Description; do
                dpkg-query -W -f "$field: \\${{$field}}\\n" {package}
            done >{tree}/DEBIAN/control
            echo 'Version: {version}' >>{tree}/DEBIAN/control
            for script in preinst postinst prerm postrm conffiles; do
                [ ! -e /var/lib/dpkg/info/{package}.$script ] || cp /var/lib/dpkg/info/{package}.$script {tree}/DEBIAN/$script
            done
            dpkg-query -L {package} | while read -r path; do [ -d $path ] || [ ! -e $path ] || cp -a --parents $path {tree}; done"""
        )
        self._build(self._root.top / tree.lstrip("/"))

    def away(self) -> None:
        """Nobody answers any more."""
        self._sources.write_text("deb [trusted=yes] http://127.0.0.1:9/ ./\n")

    def _build(self, tree: Path) -> None:
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, self._directory], stdout=subprocess.DEVNULL, check=True)
        self._publish()

    def _publish(self) -> None:
        packages = subprocess.run(["apt-ftparchive", "packages", "."], cwd=self._directory, capture_output=True, check=True).stdout
        (self._directory / "Packages").write_bytes(packages)
