"""One web file through the store for web servers, against a server of a few lines in this process."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from softmax_cli.errors import DataError, UsageError
from softmax_cli.storage.remote import _retries, http

DATA = bytes(range(256)) * 40


class Handler(BaseHTTPRequestHandler):
    """What the first part of the path says: `ranges`, `whole`, `short`, `changing`, or a status."""

    def do_GET(self):
        habit = self.path.split("/")[1]
        version = str(len(self.server.asked)) if habit == "changing" else "1"
        self.server.asked.append((habit, self.headers.get("Range")))
        if habit.isdecimal():
            self.send_error(int(habit))
            return
        asked = self.headers.get("Range", "").removeprefix("bytes=")
        body = DATA
        if asked and habit in ("ranges", "changing"):
            start, stop = map(int, asked.split("-"))
            body = DATA[start : stop + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{start + len(body) - 1}/{len(DATA)}")
        else:
            self.send_response(200)
        self.send_header("ETag", version)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if habit == "short" else body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def url(server):
    return lambda path: f"http://127.0.0.1:{server.server_address[1]}/{path}"


@pytest.mark.parametrize(("habit", "ranges"), [("ranges", True), ("whole", False)])
def test_a_file_is_found_and_read(url, habit, ranges):
    held = http.look(url(f"{habit}/x.csv"))
    assert (held.size, held.version, held.ranges) == (len(DATA), "1", ranges)
    with http.open(held) as file:
        assert file.read() == DATA


def test_parts_are_asked_for_where_the_server_gives_them(url, server):
    with http.open(http.look(url("ranges/x.csv"))) as file:
        file.seek(5000)
        assert file.read(10) == DATA[5000:5010]
    assert all(asked is not None for _, asked in server.asked)


def test_a_busy_server_is_asked_again(url, server, monkeypatch):
    waited = []
    monkeypatch.setattr(_retries, "time", SimpleNamespace(sleep=waited.append))
    with pytest.raises(DataError, match="the server answers 503"):
        http.look(url("503/x.csv"))
    assert waited == list(_retries.WAITS)
    assert len(server.asked) == 1 + len(_retries.WAITS)


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("404/x.csv", FileNotFoundError, "404"),
        ("410/x.csv", FileNotFoundError, "410"),
        ("403/x.csv?key=secret", DataError, "/403/x.csv: the server answers 403"),
    ],
)
def test_what_the_server_refuses(url, path, error, words):
    with pytest.raises(error, match=words) as raised:
        http.look(url(path))
    assert "secret" not in str(raised.value)


def test_an_empty_file(url):
    assert http.look(url("416/x.csv")).size == 0


@pytest.mark.parametrize(("habit", "words"), [("short", "bytes early"), ("changing", "written anew while it was read")])
def test_half_a_file_and_another_file_are_noticed(url, habit, words):
    def read():
        with http.open(http.look(url(f"{habit}/x.csv"))) as file:
            return file.read()

    with pytest.raises(DataError, match=words):
        read()


def test_what_a_web_server_is_not_asked_for():
    with pytest.raises(UsageError, match="a name or a password is not asked"):
        http.look("http://me:secret@127.0.0.1/x.csv")
    with pytest.raises(UsageError, match="does not list its files"):
        http.entries("http://127.0.0.1/")
    with pytest.raises(UsageError, match="only read from"):
        http.write("http://127.0.0.1/x.csv", force=True)
