"""Static files: packed once, kept, and kept by browsers for good, because the path of each tells which of them they are.

All lie below /static/<version>/, the digest of them all, so that a module finds those that it imports ("./kit.js") of the same version.
What is vendor's comes packed already (NAME.gz beside nothing else).
"""

import gzip
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from aiohttp import web

from pimains.shared import http_server as http

_DIRECTORY = Path(__file__).parent / "static"
_VERSION_LENGTH = 12
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".gif": "image/gif",
    ".cur": "image/x-icon",
    ".ogg": "audio/ogg",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
}
_PACKED_ALREADY = (".png", ".gif", ".ogg", ".mp3")
_IMPORT = re.compile(r'^(?:import|export)\b[^;]*?"\./([\w-]+\.js)";', re.MULTILINE)
_FOR_GOOD = "public, max-age=31536000, immutable"


class Assets:
    """What lies in pimains/web/static: a path is looked up among those found at the start, and never opened as it was asked for."""

    def __init__(self, directory: Path = _DIRECTORY) -> None:
        found = sorted(path for path in directory.rglob("*") if path.is_file() and not path.name.startswith("."))
        self._paths = {path.relative_to(directory).as_posix().removesuffix(".gz"): path for path in found}
        digest = hashlib.sha256()
        for name, path in self._paths.items():
            digest.update(f"{name}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        self.version = digest.hexdigest()[:_VERSION_LENGTH]
        self._kept: dict[str, bytes] = {}

    def has(self, name: str) -> bool:
        """Whether there is one called so, such as "now.css"."""
        return name in self._paths

    def imports(self, scripts: Iterable[str]) -> list[str]:
        """The modules that these import, and those that they do, without themselves: a browser need not find out one after the other."""
        found: list[str] = []
        waiting = list(scripts)
        for each in waiting:
            for name in _IMPORT.findall(self._paths[each].read_text(encoding="utf-8")) if each in self._paths else ():
                if name not in waiting:
                    found.append(name)
                    waiting.append(name)
        return found

    def url(self, name: str) -> str:
        """Where a browser finds it."""
        return f"/static/{self.version}/{name}"

    def add_to(self, app: web.Application) -> None:
        """Its paths; the second for programs and links that stand somewhere."""
        app.router.add_get("/static/{version:[0-9a-f]{12}}/{name:.+}", self.show)
        app.router.add_get("/static/{name:.+}", self.show)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /static/VERSION/NAME."""
        name, version = request.match_info["name"], request.match_info.get("version")
        path = self._paths.get(name)
        if path is None or Path(name).suffix not in _KINDS:
            raise http.refusal(404, "no such file")
        tag = f"{self.version}-{name}"
        headers = {
            "ETag": f'"{tag}"',
            "Cache-Control": _FOR_GOOD if version == self.version else "no-cache",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Vary": "Accept-Encoding",
        }
        if any(each.value in (tag, "*") for each in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        body, is_packed = self._body(name, path), Path(name).suffix not in _PACKED_ALREADY
        if is_packed and "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
        elif is_packed:
            body = gzip.decompress(body)
        return web.Response(body=body, headers={"Content-Type": _KINDS[Path(name).suffix], **headers})

    def _body(self, name: str, path: Path) -> bytes:
        if name not in self._kept:
            whole = path.read_bytes()
            is_ready = path.suffix == ".gz" or Path(name).suffix in _PACKED_ALREADY
            self._kept[name] = whole if is_ready else gzip.compress(whole, 9, mtime=0)
        return self._kept[name]
