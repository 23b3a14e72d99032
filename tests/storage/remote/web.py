"""A web server with the habits, good and bad, that web servers have: ``python web.py PORT FOLDER``.

The first folder of the path says which: ``/ranges/x.csv`` gives parts, ``/plain/`` only whole files, ``/chunked/`` not
even a length, ``/short/`` ends early, ``/busy/`` fails twice and then works, ``/broken/`` never works, ``/moved/`` is
elsewhere, ``/signed/`` wants ``?key=right``, ``/fickle/`` has another version each time.
"""

import itertools
import re
import sys
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

ASKED: Counter[str] = Counter()
VERSIONS = itertools.count()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        habit, _, name = unquote(address.path)[1:].partition("/")
        file = Path(sys.argv[2]) / name
        ASKED[habit] += 1
        if habit == "broken" or (habit == "busy" and ASKED[habit] % 3):
            return self._send(503, b"")
        if habit == "moved":
            return self._send(302, b"", Location=f"/ranges/{name}")
        if habit == "signed" and parse_qs(address.query).get("key") != ["right"]:
            return self._send(403, b"")
        if not file.is_file():
            return self._send(404, b"no such file")
        data = file.read_bytes()
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        tag = f'"{next(VERSIONS)}"' if habit == "fickle" else '"v1"'
        if asked and habit not in ("plain", "chunked", "short"):
            start, stop = int(asked[1]), int(asked[2]) + 1
            if start >= len(data):
                return self._send(416, b"")
            part = data[start:stop]
            span = f"bytes {start}-{start + len(part) - 1}/{len(data)}"
            return self._send(206, part, ETag=tag, **{"Content-Range": span})
        return self._send(200, data, habit, ETag=tag)

    def _send(self, status: int, body: bytes, habit: str = "", **headers: str) -> None:
        self.send_response(status)
        length = {"Transfer-Encoding": "chunked"} if habit == "chunked" else {"Content-Length": str(len(body))}
        for name, value in {**length, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if habit == "chunked":
            for start in range(0, len(body), 1000):
                piece = body[start : start + 1000]
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            body = b"0\r\n\r\n"
        if habit == "short":
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
