"""A stand-in for the Hub on this machine: as much of its API as pushing a dataset asks for."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "hf_" + "of-a-test"


@dataclass
class Hub:
    """What was pushed.

    Attributes:
        files: of each repository, by path; created: what was asked to be made.
        blobs: large files by their SHA-256, uploaded before the commit that names them.
    """

    url: str = ""
    created: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _reply(self, value: Any, status: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_PUT(self) -> None:
        """A large file's content."""
        data = self._body()
        self.hub.blobs[hashlib.sha256(data).hexdigest()] = data
        self._reply({})

    def do_GET(self) -> None:
        """What is in a repository: nothing that matters to a push."""
        self._reply({"sha": "0" * 40, "siblings": [], "id": "a/b"})

    def do_POST(self) -> None:
        """Everything else."""
        body = self._body()
        if self.headers.get("Authorization") != f"Bearer {TOKEN}" and "validate" not in self.path:
            self._reply({"error": "Invalid username or password."}, 401)
            return
        path = self.path.partition("?")[0]
        if path == "/api/repos/create":
            asked = json.loads(body)
            self.hub.created.append(asked)
            name = f"{asked.get('organization') or 'me'}/{asked['name']}"
            self._reply({"url": f"{self.hub.url}/datasets/{name}", "name": name})
        elif path == "/api/validate-yaml":
            self._reply({"errors": [], "warnings": []})
        elif "/preupload/" in path:
            files = json.loads(body)["files"]
            modes = [{"path": f["path"], "uploadMode": _mode(f["path"])} for f in files]
            self._reply({"files": [{**mode, "shouldIgnore": False} for mode in modes]})
        elif path.endswith("/info/lfs/objects/batch"):
            wanted = json.loads(body)["objects"]
            upload = {"upload": {"href": f"{self.hub.url}/upload"}}
            objects = [{**one, "actions": upload} for one in wanted]
            self._reply({"transfer": "basic", "objects": objects})
        else:
            self._commit(path, body)

    def _commit(self, path: str, body: bytes) -> None:
        repository = path.removeprefix("/api/datasets/").partition("/commit/")[0]
        files = self.hub.files.setdefault(repository, {})
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "header":
                self.hub.commits.append(value["summary"])
            elif line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.blobs[value["oid"]]
        place = f"{self.hub.url}/datasets/{repository}/commit/1"
        self._reply({"success": True, "commitOid": "1" * 40, "commitUrl": place})


def _mode(path: str) -> str:
    return "lfs" if path.endswith((".parquet", ".png")) else "regular"


@contextmanager
def running_hub() -> Iterator[Hub]:
    """A hub that listens on a port of its own until the block ends."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
