"""What debian/build puts into dist/, looked at from outside."""

import gzip
import os
import re
import subprocess
from pathlib import Path

import pytest

import pimains
from tests.kit import TOP

DIST = TOP / "dist"
STDEB = sorted(recipe.parent.name for recipe in (TOP / "debian/stdeb").glob("*/sdist.txt"))
CHANGELOG = (TOP / "debian/changelog").read_text()
VERSION = CHANGELOG.partition("(")[2].partition(")")[0]


def the(package: str) -> Path:
    (found,) = DIST.glob(f"{package}_*.deb")
    return found


def listed(package: Path) -> dict[str, str]:
    """The modes of everything in a package, by path."""
    lines = subprocess.run(["dpkg-deb", "-c", package], capture_output=True, text=True, check=True).stdout.splitlines()
    return {words[5].removeprefix("."): words[0] for words in (line.split() for line in lines)}


def field(package: Path, name: str) -> str:
    return subprocess.run(["dpkg-deb", "-f", package, name], capture_output=True, text=True, check=True).stdout.strip()


def test_the_package_has_the_version_of_the_library_and_runs_everywhere() -> None:
    assert field(the("pimains"), "Version") == VERSION == pimains.__version__
    assert {field(package, "Architecture") for package in DIST.glob("*.deb")} == {"all"}


def test_every_service_file_is_in_the_package_with_its_mode() -> None:
    inside = listed(the("pimains"))
    assert "/usr/share/pimains/services/multilog" in inside
    for path in (path for path in (TOP / "services").rglob("*") if path.is_file()):
        inner = path.relative_to(TOP)
        place = f"/usr/lib/pimains/halt.d/{path.name}" if "halt.d" in inner.parts else f"/usr/share/pimains/{inner}"
        assert inside[place] == ("-rwxr-xr-x" if os.access(path, os.X_OK) else "-rw-r--r--"), place


def test_run_is_in_the_package_as_it_was_written(tmp_path: Path) -> None:
    subprocess.run(["dpkg-deb", "-x", the("pimains"), tmp_path], check=True)
    for run in (TOP / "services").rglob("run"):
        assert (tmp_path / "usr/share/pimains" / run.relative_to(TOP)).read_bytes() == run.read_bytes()


def test_the_completions_are_in_the_package_with_all_that_they_offer(tmp_path: Path) -> None:
    subprocess.run(["dpkg-deb", "-x", the("pimains"), tmp_path / "inside"], check=True)
    subprocess.run([TOP / "debian/bash-completion/make", tmp_path / "made"], check=True)
    made = {path.name: path.read_text() for path in (tmp_path / "made").iterdir()}
    assert {path.name: path.read_text() for path in (tmp_path / "inside/usr/share/bash-completion/completions").iterdir()} == made
    assert set(made) == {"create_service", "pimains"}


def test_nothing_of_the_tests_the_cache_or_somebodys_keys_is_in_the_package() -> None:
    strange = re.compile(r"__pycache__|\.pyc$|/tests?/|secrets\.yaml$|\.esphome|\.git|/\.")
    assert [path for path in listed(the("pimains")) if strange.search(path.removeprefix("/"))] == []


def test_every_module_and_every_yaml_of_the_plugs_is_in_the_package() -> None:
    inside = listed(the("pimains"))
    for module in (TOP / "lib/pimains").rglob("*.py"):
        assert f"/usr/lib/python3/dist-packages/{module.relative_to(TOP / 'lib')}" in inside
    for yaml in (TOP / "esphome").glob("*.yaml"):
        assert yaml.name == "secrets.yaml" or f"/usr/share/pimains/esphome/{yaml.name}" in inside


def test_what_the_pages_load_from_npm_is_in_the_package_compressed_too_and_nothing_more(tmp_path: Path) -> None:
    subprocess.run(["dpkg-deb", "-x", the("pimains"), tmp_path], check=True)
    vendor = tmp_path / "usr/lib/python3/dist-packages/pimains/web/static/vendor"
    recipes = {path.parent.name: path.read_text() for path in (TOP / "debian/npm").glob("*/files.txt")}
    wanted = {f"{recipe}/{line}" for recipe, text in recipes.items() for line in text.splitlines() if not line.startswith("#")}
    inside = {str(path.relative_to(vendor)): path for path in vendor.rglob("*") if path.is_file()}
    compressed = {name.removesuffix(".gz"): path.read_bytes() for name, path in inside.items() if name.endswith(".gz")}
    assert {name for name in inside if not name.endswith(".gz")} == wanted
    assert set(compressed) == {name for name in wanted if name.endswith((".js", ".css", ".svg"))}
    assert [name for name, packed in compressed.items() if gzip.decompress(packed) != inside[name].read_bytes()] == []
    sizes = {name: len(packed) for name, packed in compressed.items()}
    assert sizes["blockly/blockly_compressed.js"] < 180_000
    assert sizes["blockly/blocks_compressed.js"] < 15_000
    assert max(size for name, size in sizes.items() if "/msg/" in name) < 12_000
    assert sizes["uplot/dist/uPlot.iife.min.js"] < 22_000
    assert sum(path.stat().st_size for name, path in inside.items() if "/media/" in name) < 6_000


def test_every_service_has_its_manual_and_a_man_page_with_its_settings(tmp_path: Path) -> None:
    subprocess.run(["dpkg-deb", "-x", the("pimains"), tmp_path], check=True)
    for readme in sorted((TOP / "services").glob("*/README.md")):
        service = readme.parent.name
        assert (tmp_path / "usr/share/pimains/services" / service / "README.md").read_bytes() == readme.read_bytes()
        page = gzip.decompress((tmp_path / f"usr/share/man/man8/pimains-{service}.8.gz").read_bytes()).decode()
        settings = page.partition("\nSETTINGS\n")[2] or page.partition(".SH SETTINGS\n")[2]
        assert [path.name for path in (readme.parent / "variables").iterdir() if path.name not in settings] == []


def test_the_links_of_the_readme_lead_somewhere_when_it_is_installed(tmp_path: Path) -> None:
    subprocess.run(["dpkg-deb", "-x", the("pimains"), tmp_path], check=True)
    for link in re.findall(r"\]\(((?:services|esphome)/[^)#]+)", (TOP / "README.md").read_text()):
        assert (tmp_path / "usr/share/doc/pimains" / link).exists(), link


def test_lintian_finds_no_error_and_nothing_is_overridden() -> None:
    path = {**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    words = ["lintian", "--fail-on", "error", "--show-overrides", *DIST.glob("*.deb")]
    found = subprocess.run(words, capture_output=True, text=True, check=False, env=path)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "O: " not in found.stdout


def test_build_answers_a_wrong_option_in_one_line() -> None:
    said = subprocess.run([TOP / "debian/build", "--fast"], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout, said.stderr) == (2, "", "debian/build: '--fast' is no option: there is only --help\n")


@pytest.mark.parametrize("recipe", STDEB)
def test_a_library_says_where_it_comes_from_and_what_it_is(recipe: str, tmp_path: Path) -> None:
    package = the(f"python3-{recipe}")
    subprocess.run(["dpkg-deb", "-x", package, tmp_path], check=True)
    text = (tmp_path / f"usr/share/doc/python3-{recipe}/copyright").read_text()
    assert "Source: https://github.com/" in text
    assert re.search(r"^License: \S+", text, re.MULTILINE)
    assert len(field(package, "Description").splitlines()) > 2
