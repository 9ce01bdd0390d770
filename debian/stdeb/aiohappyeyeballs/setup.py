"""For the tools of Debian 12, which do not read all of pyproject.toml."""

from setuptools import find_packages, setup

setup(
    name="aiohappyeyeballs",
    version="2.6.1",
    description="Happy Eyeballs for asyncio",
    long_description="Happy Eyeballs for asyncio",
    author="J. Nick Koston",
    author_email="nick@koston.org",
    url="https://github.com/aio-libs/aiohappyeyeballs",
    license="PSF-2.0",
    python_requires=">=3.9",
    packages=find_packages("src"),
    package_dir={"": "src"},
    package_data={"": ["py.typed"]},
)
