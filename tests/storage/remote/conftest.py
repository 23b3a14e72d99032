"""Servers on this machine that the tests of remote files talk to; each test run starts its own, on free ports."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

KEYS = {"AWS_ACCESS_KEY_ID": "right", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
START_SECONDS = 30
NO_OTHER_SERVICES = {"s3.port.iceberg": 0, "s3.port.lance": 0}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.path).parent == Path(__file__).parent:
            item.add_marker("remote")


@pytest.fixture
def softmax_cli(softmax_cli_process: Callable[..., Any]) -> Callable[..., Any]:
    """Run the program in a process of its own: a store is opened once in a process, with the keys that it has then."""
    return softmax_cli_process


@dataclass(frozen=True)
class Bucket:
    """A bucket of a real server, looked into with a client that is not the one under test."""

    client: Any
    name: str
    env: Mapping[str, str]
    """What the program needs to reach it."""

    def url(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    def put(self, key: str, data: bytes) -> str:
        self.client.put_object(Bucket=self.name, Key=key, Body=data)
        return self.url(key)

    def get(self, key: str) -> bytes:
        return self.client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def keys(self) -> list[str]:
        return [found["Key"] for found in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])]

    def uploads(self) -> list[str]:
        return [found["Key"] for found in self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", [])]


def unused_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def launch(command: list[str], address: str, cwd: Path) -> subprocess.Popen[bytes]:
    """Start a server and wait until it answers, be it with a refusal."""
    with (cwd / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=cwd)
    for _ in range(START_SECONDS * 10):
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return process
        except urllib.error.HTTPError:
            return process
        except OSError:
            assert process.poll() is None, (cwd / "log").read_text()
            time.sleep(0.1)
    process.kill()
    raise AssertionError(f"{command[0]} did not answer: {(cwd / 'log').read_text()}")


def executable(name: str) -> str:
    path = Path(sysconfig.get_path("scripts")) / name
    if not path.exists():
        pytest.skip(f"{name} is not installed: pip install '.[remote,remote-test]'")
    return str(path)


def buckets(address: str) -> Callable[[], Bucket]:
    """Make buckets with boto3, which is not what the program itself uses."""
    boto3 = pytest.importorskip("boto3")
    pytest.importorskip("obstore")
    names = ["aws_access_key_id", "aws_secret_access_key", "region_name"]
    client = boto3.client("s3", endpoint_url=address, **dict(zip(names, KEYS.values(), strict=True)))
    count = 0

    def make() -> Bucket:
        nonlocal count
        count += 1
        name = f"bucket-{os.getpid()}-{count}"
        client.create_bucket(Bucket=name)
        return Bucket(client, name, KEYS | {"AWS_ENDPOINT_URL": address})

    return make


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Bucket]]:
    """Start a server that is up in a moment and believes every key."""
    port = unused_port()
    address = f"http://127.0.0.1:{port}"
    command = [executable("moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    process = launch(command, address, tmp_path_factory.mktemp("moto"))
    yield buckets(address)
    process.kill()
    process.wait()


@pytest.fixture
def bucket(moto: Callable[[], Bucket]) -> Bucket:
    return moto()


@pytest.fixture(scope="session")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Bucket]]:
    """Start a server that looks at keys and signatures."""
    folder = tmp_path_factory.mktemp("seaweed")
    keys = [{"accessKey": KEYS["AWS_ACCESS_KEY_ID"], "secretKey": KEYS["AWS_SECRET_ACCESS_KEY"]}]
    identity = {"name": "tests", "credentials": keys, "actions": ["Admin", "Read", "Write", "List"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    port = unused_port()
    options = {"dir": folder, "ip": "127.0.0.1", "ip.bind": "127.0.0.1", "s3.config": "s3.json", "s3.port": port}
    others = {
        f"{part}.{kind}": unused_port() for part in ("master", "volume", "filer") for kind in ("port", "port.grpc")
    }
    said = {
        **options,
        **others,
        "s3.port.grpc": unused_port(),
        **NO_OTHER_SERVICES,
        "volume.max": 200,
        "master.volumeSizeLimitMB": 2048,
    }
    command = [executable("weed"), "server", "-s3", *(f"-{name}={value}" for name, value in said.items())]
    process = launch(command, f"http://127.0.0.1:{port}", folder)
    yield buckets(f"http://127.0.0.1:{port}")
    process.kill()
    process.wait()


@pytest.fixture
def free_port() -> int:
    return unused_port()


@pytest.fixture
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[list[str], str], None]]:
    """Start a program that serves an address, for one test."""
    started: list[subprocess.Popen[bytes]] = []
    yield lambda command, address: started.append(launch(command, address, tmp_path_factory.mktemp("server")))
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def serve(start_server: Callable[[list[str], str], None]) -> Callable[..., str]:
    """Start a server that stands beside this file, and give its address."""

    def start(script: str, *arguments: Path) -> str:
        port = unused_port()
        address = f"http://127.0.0.1:{port}"
        start_server([sys.executable, str(Path(__file__).with_name(script)), str(port), *map(str, arguments)], address)
        return address

    return start
