"""This module runs what takes line protocol: a real InfluxDB 1.6 behind nginx, a real VictoriaMetrics, and a sink.

Debian's `influxdb` is 1.6.7, which has no `/api/v2/write`: nginx (`nginx-light`) rewrites it to `/write` and asks for
the token. Both are ended by their own process ids alone. `Sink` answers at once, or in the `manner` it is told.
"""

from __future__ import annotations

import gzip
import json
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from simulators.brokers import Server, free_port, program

_INFLUX = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{data}/data"
wal-dir = "{data}/wal"
query-log-enabled = false
max-values-per-tag = 0
[http]
bind-address = "127.0.0.1:{http}"
log-enabled = false
max-body-size = {most_bytes}
[monitor]
store-enabled = false
[logging]
level = "warn"
"""
_NGINX = """\
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{}}
http {{
  access_log off; client_max_body_size 64m;
  client_body_temp_path {folder}/ng1; proxy_temp_path {folder}/ng2; fastcgi_temp_path {folder}/ng3;
  uwsgi_temp_path {folder}/ng4; scgi_temp_path {folder}/ng5;
  map $arg_precision $prec {{ default n; ns n; us u; ms ms; s s; }}
  map $http_authorization $is_known {{ default 0; "Token {token}" 1; }}
  server {{
    listen 127.0.0.1:{port};
    if ($is_known = 0) {{ return 401 '{{"code":"unauthorized","message":"unauthorized access"}}'; }}
    location = /api/v2/write {{
      rewrite ^ /write?db=$arg_bucket&precision=$prec? break; proxy_pass http://127.0.0.1:{http};
    }}
    location / {{ proxy_pass http://127.0.0.1:{http}; }}
  }}
}}
"""


class _Influxd(Server):
    """The database itself."""

    def _command(self) -> list[str]:
        return [program("influxd", "influxdb"), "run", "-config", str(self.folder / "influxdb.conf")]


class _Nginx(Server):
    """What stands before it and stays when it is killed."""

    def _command(self) -> list[str]:
        return [
            program("nginx", "nginx-light"), "-c", str(self.folder / "nginx.conf"), "-p", str(self.folder),
            "-e", str(self.folder / "nginx.log"),
        ]  # fmt: skip


class Influx:
    """A real InfluxDB 1.6 with a bucket; it keeps its data over `kill9()` and `start()`.

    `data` is where its data and WAL lie, `most_bytes` the largest body it takes (0: any).
    """

    def __init__(
        self, folder: Path, *, bucket: str = "plant", token: str = "s3cret", data: Path | None = None,
        most_bytes: int = 0,
    ) -> None:  # fmt: skip
        self.bucket, self.token = bucket, token
        self._influxd, self._nginx = _Influxd(None, folder), _Nginx(None, folder)
        given = {
            "folder": folder, "data": data or folder, "http": self._influxd.port, "rpc": free_port(),
            "port": self._nginx.port, "token": token, "most_bytes": most_bytes,
        }  # fmt: skip
        (folder / "influxdb.conf").write_text(_INFLUX.format(**given))
        (folder / "nginx.conf").write_text(_NGINX.format(**given))

    @property
    def url(self) -> str:
        """Where plantmon is to write."""
        return f"http://127.0.0.1:{self._nginx.port}"

    @property
    def pid(self) -> int | None:
        """The database's process."""
        return self._influxd.pid

    def start(self) -> Self:
        """Start what is not running; return once it answers."""
        self._influxd.start()
        self._nginx.start()
        return self

    def kill9(self) -> None:
        """Kill the database without warning; nginx stays and answers 502."""
        self._influxd.kill9()

    def freeze(self) -> None:
        """Have the database hang; `thaw` lets it go on."""
        self._influxd.freeze()

    def thaw(self) -> None:
        """Let a frozen database go on."""
        self._influxd.thaw()

    def create(self, retention: str | None = None) -> None:
        """Make the bucket; `retention` such as 365d, for ever without it."""
        clause = f' WITH DURATION {retention} REPLICATION 1 NAME "kept"' if retention else ""
        self.query(f'CREATE DATABASE "{self.bucket}"{clause}')

    def query(self, influxql: str) -> list[dict[str, Any]]:
        """Run a statement straight at the database; give its series. Raises RuntimeError with its error."""
        form = urllib.parse.urlencode({"db": self.bucket, "q": influxql, "epoch": "ms"}).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self._influxd.port}/query", form, timeout=60) as answer:
            [result] = json.load(answer)["results"]
        if "error" in result:
            raise RuntimeError(result["error"])
        series: list[dict[str, Any]] = result.get("series", [])
        return series

    def points(self, measurement: str, *names: str) -> Iterator[tuple[Any, ...]]:
        """Give every point as (time, values of the tags and fields named)."""
        wanted = ", ".join(f'"{name}"' for name in names)
        for series in self.query(f'SELECT {wanted} FROM "{measurement}"'):
            yield from map(tuple, series["values"])

    def write(self, lines: str, precision: str = "ms") -> None:
        """Write lines straight into the database."""
        address = f"http://127.0.0.1:{self._influxd.port}/write?db={self.bucket}&precision={precision}"
        urllib.request.urlopen(address, lines.encode(), timeout=30).close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self._influxd.thaw()
        self._nginx.stop()
        self._influxd.stop()


class Victoria(Server):
    """A real VictoriaMetrics, as a target to write to; what is written twice is there once."""

    def __init__(self, folder: Path) -> None:
        super().__init__(None, folder)

    def _command(self) -> list[str]:
        return [
            program("victoria-metrics", "victoria-metrics"), f"-storageDataPath={self.folder / 'data'}",
            f"-httpListenAddr=127.0.0.1:{self.port}", "-retentionPeriod=100y", "-memory.allowedBytes=64MB",
            "-loggerLevel=ERROR", "-dedup.minScrapeInterval=1ms",
        ]  # fmt: skip

    @property
    def url(self) -> str:
        """Where plantmon is to write."""
        return f"http://127.0.0.1:{self.port}"

    def series(self, name: str) -> list[tuple[dict[str, str], list[int], list[float]]]:
        """Give every series of a name: its labels, times (ms) and values."""
        urllib.request.urlopen(f"{self.url}/internal/force_flush", timeout=30).close()
        wanted = urllib.parse.urlencode({"match[]": f'{{__name__="{name}"}}'})
        with urllib.request.urlopen(f"{self.url}/api/v1/export?{wanted}", timeout=30) as answer:
            rows = [json.loads(line) for line in answer.read().splitlines()]
        return [(row["metric"], row["timestamps"], row["values"]) for row in rows]


class Sink:
    """A server that takes line protocol and throws it away; `manner` is how it answers.

    `accept`, `hang`, or a status with what it says, such as `500 no space left on device`. `keeps` has it keep the
    lines; `bad` is asked of each line, and a batch with bad ones is refused as a whole (400).
    """

    def __init__(self, *, keeps: bool = False, most_lines: int | None = None) -> None:
        self.manner = "accept"
        self.bad: Any = None
        self.lines: list[str] = []
        self.requests = 0
        self.headers: dict[str, str] = {}
        self._keeps, self._most_lines = keeps, most_lines
        self._ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, body: bytes) -> tuple[int, str]:
        """Take one request's body; give status and answer."""
        self.requests += 1
        manner = self.manner
        if manner == "hang":
            self._ended.wait()
        if manner not in ("accept", "hang"):
            status, _, said = manner.partition(" ")
            return int(status), json.dumps({"error": said})
        if not (self._keeps or self.bad or self._most_lines):
            return 204, ""
        lines = gzip.decompress(body).decode().split("\n")
        if self._most_lines is not None and len(lines) > self._most_lines:
            return 413, '{"error":"Request Entity Too Large"}'
        if self.bad is not None and any(self.bad(line) for line in lines):
            return 400, '{"error":"unable to parse"}'
        if self._keeps:
            self.lines += lines
        return 204, ""

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()


def _handler(sink: Sink) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            sink.headers = dict(self.headers.items())
            status, said = sink.answer(body)
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said.encode())

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:  # whoever asked has gone
                self.close_connection = True

        def log_message(self, format: str, *values: Any) -> None:
            """Say nothing."""

    return Handler
