"""For the tools of Debian 12, which do not read all of pyproject.toml."""

from setuptools import find_packages, setup

setup(
    name="async_interrupt",
    version="1.2.2",
    description="Context manager to raise an exception when a future is done",
    long_description="Context manager to raise an exception when a future is done",
    author="J. Nick Koston",
    author_email="nick@koston.org",
    url="https://github.com/bluetooth-devices/async_interrupt",
    license="Apache-2.0",
    python_requires=">=3.9",
    packages=find_packages("src"),
    package_dir={"": "src"},
    package_data={"": ["py.typed"]},
)
