"""Installs the library, the pimains and create_service commands, and the service directories they make instances of."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent


def place(directory: Path) -> str:
    """Where the files of a directory below services/ go; the halt steps are programs, not data."""
    inside = directory.relative_to(HERE / "services")
    return "lib/pimains/halt.d" if inside.name == "halt.d" else f"share/pimains/services/{inside}"


def service_files() -> list[tuple[str, list[str]]]:
    """Every file below services/, with the directory it is installed in: the halt steps of all services in one."""
    directories = sorted({path.parent for path in (HERE / "services").rglob("*") if path.is_file()})
    return [
        (
            place(directory),
            [str(path.relative_to(HERE)) for path in sorted(directory.iterdir()) if path.is_file()],
        )
        for directory in directories
    ]


setup(
    name="pimains",
    version=re.search(r"\((.+?)\)", (HERE / "debian/changelog").read_text(encoding="utf-8"))[1],  # type: ignore[index]
    description="The power of a house of Raspberry Pis, run by tiny supervised services",
    license="GPL-3.0-or-later",
    python_requires=">=3.11",
    packages=find_packages("lib"),
    package_dir={"": "lib"},
    package_data={
        "pimains.ups.texts": ["??"],
        "pimains.web": ["static/*", "pages/*.html", "words/*.json"]
        + [f"static/vendor/*/{place}*.{kind}" for place in ("", "*/") for kind in ("js", "css", "svg", "cur", "gz")],
    },
    data_files=service_files(),
    entry_points={
        "gpiozero_pin_factories": [
            "pimains-house = pimains.house.pins:HouseFactory",
            "pimains-panel = pimains.house.tm1638:PanelFactory",
        ]
    },
)
