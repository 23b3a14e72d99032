"""A server of files that are larger than anybody would keep: ``python endless.py PORT``, then ``/any/MEGABYTES.csv``.

It gives ranges, HEAD and ETags, which is all that reading an object of S3 takes.
"""

import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HEADER = b"id,cat,dog,owl\n"
ROW = b"scan-007,1.25,-2.5,0.125\n"
BLOCK = ROW * 40_000
MEGABYTE = 1 << 20


def content(start: int, stop: int) -> bytes:
    """Return a range of a header and the same row over and over."""
    if start < len(HEADER):
        return HEADER[start:stop] + content(len(HEADER), max(len(HEADER), stop))
    first = (start - len(HEADER)) % len(ROW)
    size = stop - start
    copies = (first + size) // len(BLOCK) + 1
    return (BLOCK * copies)[first : first + size]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        wanted = re.fullmatch(r"/\w+/(\d+)\.csv", self.path)
        if wanted is None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        rows = int(wanted[1]) * MEGABYTE // len(ROW)
        size = len(HEADER) + rows * len(ROW)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        stop = min(size, int(asked[2]) + 1) if asked and asked[2] else size
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.send_header("Content-Length", str(stop - start))
        self.send_header("ETag", '"always-the-same"')
        self.send_header("Last-Modified", "Fri, 27 Nov 2026 00:00:00 GMT")
        self.end_headers()
        for begin in range(start, stop, MEGABYTE) if with_body else ():
            self.wfile.write(content(begin, min(begin + MEGABYTE, stop)))

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
