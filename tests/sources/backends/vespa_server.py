"""A stand-in for a Vespa server: the query API's requests and responses, over loopback.

It answers the part of YQL that this project sends (conditions, `order by`, `limit`, grouping), in
the JSON that https://docs.vespa.ai/en/reference/default-result-format.html describes, and can be
told to fail as a server does.
"""

from __future__ import annotations

import json
import re
import ssl
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_EQUALS = re.compile(r'(\w+) contains ("(?:[^"\\]|\\.)*")')
_SINCE = re.compile(r"(\w+) >= (\d+)")
_GROUP = re.compile(r"group\((\w+)\) max\((\d+)\) order\(-count\(\)\) each\(max\((\d+)\)")
_ORDER = re.compile(r"order by (\w+) desc")


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that the server's TLS refuses."""
        if not isinstance(sys.exception(), ssl.SSLError):
            super().handle_error(request, client_address)


class VespaStandIn:
    """Serves `records`; `queries` holds the bodies that it received.

    Args:
        tls: speak HTTPS with this.

    Attributes:
        fault: what to answer instead: `503`, `timeout`, `504`, `hang`, `error`, `prose`, or "".
    """

    def __init__(
        self, records: Sequence[dict[str, Any]], tls: ssl.SSLContext | None = None
    ) -> None:
        self.records = list(records)
        self.queries: list[dict[str, Any]] = []
        self.fault = ""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.queries.append(body)
                status, answer = outer.answer(body)
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json;charset=utf-8")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                with suppress(BrokenPipeError):  # the client gave up waiting
                    self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._scheme = "https" if tls else "http"
        self._server = _Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, body: dict[str, Any]) -> tuple[int, Any]:
        """Status and body of one query."""
        if self.fault == "hang":
            time.sleep(1.0)
        if self.fault == "prose":
            return 200, b"<html>a proxy's page</html>"
        if self.fault in ("503", "504"):
            return int(self.fault), {"root": {"errors": [{"code": 10, "message": "No backends"}]}}
        if self.fault in ("timeout", "error"):
            code, message = (12, "Timed out") if self.fault == "timeout" else (4, "Invalid query")
            return 200, {"root": {"id": "toplevel", "errors": [{"code": code, "message": message}]}}
        yql, found = body["yql"], self._found(body["yql"])
        root: dict[str, Any] = {"id": "toplevel", "children": []}
        root["fields"] = {"totalCount": len(found)}
        if group := _GROUP.search(yql):
            root["children"] = [_grouping(found, group[1], int(group[2]), int(group[3]))]
        else:
            start, count = body.get("offset", 0), min(body.get("hits", 10), 400)
            root["children"] = [_hit(record) for record in found[start : start + count]]
        return 200, {"root": root}

    def _found(self, yql: str) -> list[dict[str, Any]]:
        found = self.records
        for name, quoted in _EQUALS.findall(yql):
            value = json.loads(quoted)
            found = [r for r in found if r.get(name) == value]
        for name, least in _SINCE.findall(yql):
            found = [r for r in found if (r.get(name) or 0) >= int(least)]
        if order := _ORDER.search(yql):
            found = sorted(found, key=lambda r: -(r.get(order[1]) or 0))
        return found


def _hit(record: dict[str, Any]) -> dict[str, Any]:
    return {"id": f"id:ns:content::{record.get('id')}", "relevance": 0.0, "fields": record}


def _grouping(
    found: Sequence[dict[str, Any]], field: str, groups: int, each: int
) -> dict[str, Any]:
    by_value: dict[str, list[dict[str, Any]]] = {}
    for record in found:
        value = record.get(field)
        for one in value if isinstance(value, list) else [value]:
            by_value.setdefault(str(one), []).append(record)
    values = sorted(by_value, key=lambda value: (-len(by_value[value]), value))[:groups]
    children = [
        {
            "id": f"group:string:{value}",
            "value": value,
            "children": [
                {
                    "id": "hitlist:hits",
                    "label": "hits",
                    "children": [_hit(record) for record in by_value[value][:each]],
                }
            ],
        }
        for value in values
    ]
    return {
        "id": "group:root:0",
        "children": [{"id": f"grouplist:{field}", "label": field, "children": children}],
    }
