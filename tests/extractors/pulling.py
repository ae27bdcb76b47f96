"""What the tests of every pull share: an instant, little patience, a home, and a server that answers as a test says."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from extractors.http import Patience
from perennial.settings import Settings

NOW = datetime(2017, 6, 10, 16, tzinfo=UTC)
IMPATIENT = Patience(attempts=4, first_wait=0.01, longest_wait=0.02, jitter=0.0, in_all=10.0)
# Status, body, and headers beside the usual ones.
Reply = tuple[int, bytes, Mapping[str, str]]
# Gets the path, the parameters (of a POST: its body) and the headers in lower case.
Asked = Callable[[str, dict[str, Any], dict[str, str]], Reply]


def home_settings(home: Path, defaults: Mapping[str, object], changes: Mapping[str, object]) -> Settings:
    """Return the settings of a home whose clock is the sandbox's."""
    values: dict[str, Any] = {"_env_file": None, "perennial_home": home, "perennial_clock": "sandbox"}
    return Settings(**{**values, **defaults, **changes})


@contextmanager
def answering(asked: Asked) -> Iterator[str]:
    """Serve on a free port of loopback until the block ends; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            self._answer({name: values[0] for name, values in query.items()})

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, params: dict[str, Any]) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, body, more = asked(urlsplit(self.path).path, params, headers)
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json", "Content-Length": str(len(body)), **more,
            }.items():  # fmt: skip
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the test's output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
