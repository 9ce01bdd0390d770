"""debian/npm/fetch: the files that web's pages need, just those of the recipe, or one line that says why not."""

import base64
import functools
import gzip
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.kit import TOP

SCRIPT = b"alert(1) // minified\n" * 99


def tarball(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return made.getvalue()


class Registry:
    """A registry with one package on loopback, and a checkout with a recipe for it."""

    def __init__(self, at: Path, url: str) -> None:
        self.at, self.url, self.package = at, url, at / "registry/little/-/little-1.2.3.tgz"
        self.vendor = at / "checkout/lib/pimains/web/static/vendor"
        self.recipe = at / "checkout/debian/npm/little"
        self.recipe.mkdir(parents=True)
        shutil.copy(TOP / "debian/npm/fetch", self.recipe.parent)
        self.package.parent.mkdir(parents=True)
        self.has(
            {"package/a.js": SCRIPT, "package/media/b.cur": b"b", "package/c.js": b"c"}, wanted="a.js  # the one\n# and\nmedia/b.cur\n"
        )

    def has(self, files: dict[str, bytes], wanted: str) -> None:
        content = tarball(files)
        self.package.write_bytes(content)
        integrity = base64.b64encode(hashlib.sha512(content).digest()).decode()
        (self.recipe / "package.txt").write_text(f"little@1.2.3 sha512-{integrity}\n")
        (self.recipe / "files.txt").write_text(wanted)

    def fetch(self) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "PIMAINS_CACHE": str(self.at / "cache"), "npm_config_registry": self.url, "no_proxy": "*"}
        return subprocess.run([self.recipe.parent / "fetch"], env=environment, capture_output=True, text=True, check=False)

    def fetched(self) -> list[str]:
        return sorted(str(path.relative_to(self.vendor)) for path in self.vendor.rglob("*") if path.is_file())


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path / "registry")))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield Registry(tmp_path, f"http://127.0.0.1:{server.server_port}/")
    server.shutdown()
    server.server_close()


def test_the_files_of_the_recipe_are_there_and_compressed_and_no_other(registry: Registry) -> None:
    assert (registry.fetch().returncode, registry.fetched()) == (0, ["little/a.js", "little/a.js.gz", "little/media/b.cur", "made-from"])
    assert (registry.vendor / "little/a.js").read_bytes() == gzip.decompress((registry.vendor / "little/a.js.gz").read_bytes()) == SCRIPT
    assert oct((registry.vendor / "little/a.js").stat().st_mode & 0o7777) == "0o644"


def test_what_was_downloaded_once_is_unpacked_without_a_network(registry: Registry) -> None:
    registry.fetch()
    registry.package.unlink()
    shutil.rmtree(registry.vendor)
    done = registry.fetch()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (registry.vendor / "little/a.js").exists()


def test_a_cache_that_was_damaged_is_downloaded_again(registry: Registry) -> None:
    registry.fetch()
    shutil.rmtree(registry.vendor)
    (registry.at / "cache/npm/little-1.2.3.tgz").write_bytes(b"half of i")
    assert registry.fetch().returncode == 0
    assert (registry.at / "cache/npm/little-1.2.3.tgz").read_bytes() == registry.package.read_bytes()


def test_another_file_than_the_recipe_names_is_refused_and_what_was_there_stays(registry: Registry) -> None:
    registry.fetch()
    shutil.rmtree(registry.at / "cache")
    (registry.recipe / "licence").write_text("Expat\n")
    registry.package.write_bytes(tarball({"package/a.js": b"evil"}))
    done = registry.fetch()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"debian/npm/fetch: what {registry.url.rstrip('/')} has as little 1.2.3 is another file than debian/npm/little/package.txt names "
        "by its SHA-512: nothing of it is used\n"
    )
    assert (registry.vendor / "little/a.js").read_bytes() == SCRIPT
    assert [path.name for path in (registry.at / "cache/npm").iterdir()] == ["lock"]


def test_a_registry_that_does_not_have_it_is_one_line_with_what_to_do(registry: Registry) -> None:
    registry.package.unlink()
    done = registry.fetch()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"debian/npm/fetch: little 1.2.3 could not be downloaded from {registry.url.rstrip('/')} (HTTP Error 404: File not found): "
        "try again with a network, or set npm_config_registry to a mirror\n"
    )
    assert not registry.vendor.exists()


def test_a_file_that_the_package_lacks_is_said_and_nothing_is_unpacked(registry: Registry) -> None:
    registry.has({"package/a.js": SCRIPT}, wanted="a.js\nb.js\n")
    done = registry.fetch()
    assert (done.returncode, done.stderr) == (
        1,
        "debian/npm/fetch: little-1.2.3.tgz lacks a file that debian/npm/little/files.txt wants\n",
    )
    assert not registry.vendor.exists()


def test_every_recipe_names_its_licence_as_the_copyright_file_does() -> None:
    recipes = [path.parent for path in (TOP / "debian/npm").glob("*/package.txt")]
    assert sorted(recipe.name for recipe in recipes) == ["blockly", "uplot"]
    copyright_file = (TOP / "debian/copyright").read_text()
    for recipe in recipes:
        entry = copyright_file.partition(f"Files: lib/pimains/web/static/vendor/{recipe.name}/*\n")[2].partition("\n\n")[0]
        assert f"\nLicense: {(recipe / 'licence').read_text().strip()}\n" in entry
