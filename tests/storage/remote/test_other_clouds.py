"""Azure against its emulator where ``azurite-blob`` (npm: azurite) is on the path; Google's store only when it fails.

There is no emulator on PyPI that speaks the XML interface of Google Cloud Storage, which obstore uses.
"""

import base64
import hashlib
import hmac
import shutil
import time
import urllib.request
from email.utils import formatdate

import pytest

ROWS = b"id,cat,dog\n" + b"".join(b"r%d,%d.5,%d\n" % (i, i % 7 - 3, i % 5) for i in range(2000))
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Of the emulator: it is in Microsoft's documentation."""


def make_container(address, name):
    date, version = formatdate(usegmt=True), "2021-08-06"
    told = f"x-ms-date:{date}\nx-ms-version:{version}\n/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
    signed = hmac.digest(base64.b64decode(KEY), f"PUT{chr(10) * 12}{told}".encode(), hashlib.sha256)
    headers = {
        "x-ms-date": date,
        "x-ms-version": version,
        "Content-Length": "0",
        "Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(signed).decode()}",
    }
    url = f"{address}/{name}?restype=container"
    urllib.request.urlopen(urllib.request.Request(url, headers=headers, method="PUT")).close()


@pytest.fixture
def azure(start_server, free_port):
    pytest.importorskip("obstore")
    if (emulator := shutil.which("azurite-blob")) is None:
        pytest.skip("azurite-blob is not on the path: npm install -g azurite")
    root = f"http://127.0.0.1:{free_port}"
    options = [
        "--blobHost",
        "127.0.0.1",
        "--blobPort",
        str(free_port),
        "--inMemoryPersistence",
        "--skipApiVersionCheck",
    ]
    start_server([emulator, *options], root)
    address = f"{root}/{ACCOUNT}"
    make_container(address, "data")
    return {
        "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
        "AZURE_STORAGE_ACCOUNT_KEY": KEY,
        "AZURE_STORAGE_ENDPOINT": address,
    }


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_azure(softmax_cli, azure, tmp_path):
    (tmp_path / "in.csv").write_bytes(ROWS)
    (tmp_path / "bad.csv").write_bytes(b"a,b,c,d\n" + b"1.25,2.5,-3.75,4.125\n" * 500_000 + b"1,2,oops,3\n")
    here = softmax_cli("predict", "in.csv", "-q")
    assert softmax_cli("predict", "in.csv", "-q", "-o", "az://data/a/ü b%20.parquet", env=azure).code == 0
    for named in ("a/ü b%20.parquet", "a/*.parquet", "a/"):
        done = softmax_cli("predict", f"az://data/{named}", "--input", "prob", "-q", "--only-predictions", env=azure)
        assert done.code == 0, done.err
        assert len(done.out.splitlines()) == len(here.out.splitlines())
    assert softmax_cli("predict", "in.csv", "-o", "az://data/a/ü b%20.parquet", env=azure).code == 2
    assert softmax_cli("predict", "bad.csv", "-q", "-o", "az://data/out.csv", env=azure).code == 1
    assert "no such file" in softmax_cli("predict", "az://data/out.csv", env=azure).err
    assert "there is no such bucket" in softmax_cli("predict", "az://nothing/x.csv", env=azure).err
    wrong = softmax_cli("predict", "az://data/a/", env=azure | {"AZURE_STORAGE_ACCOUNT_KEY": "d3Jvbmc="})
    assert wrong.code == 1
    assert "refuses access" in wrong.err


@pytest.mark.parametrize(
    ("url", "env", "words"),
    [
        ("gs://b/x.csv", {"GOOGLE_BASE_URL": "http://127.0.0.1:9", "GOOGLE_SKIP_SIGNATURE": "true"}, "does not answer"),
        ("gs://b/x.csv", {"GOOGLE_APPLICATION_CREDENTIALS": "/none.json"}, "GOOGLE_APPLICATION_CREDENTIALS"),
        ("az://b/x.csv", {}, "AZURE_STORAGE_ACCOUNT_NAME"),
        (
            "abfss://b@account.dfs.core.windows.net/x.csv",
            {"AZURE_STORAGE_ENDPOINT": "http://127.0.0.1:9", "AZURE_SKIP_SIGNATURE": "true"},
            "does not answer",
        ),
    ],
)
def test_a_store_that_cannot_be_asked(softmax_cli, tmp_path, url, env, words):
    pytest.importorskip("obstore")
    began = time.monotonic()
    done = softmax_cli("predict", url, env={"HOME": str(tmp_path), **env})
    assert done.code == 1
    assert f"error: {url.removesuffix('/x.csv')}" in done.err
    assert words in " ".join(done.err.split())
    assert "Traceback" not in done.err
    assert time.monotonic() - began < 40


def test_each_scheme_has_its_store():
    """A URL leads to the store of its scheme, and its key is what follows the bucket."""
    pytest.importorskip("obstore")
    from softmax_cli.storage.remote import store_of

    told = {}
    for url in ("s3://b/k/x.csv", "gs://b/k/x.csv", "abfss://b@account.dfs.core.windows.net/k/x.csv"):
        store, key = store_of(url)._place(url)
        told[type(store).__name__] = key
    assert told == dict.fromkeys(("S3Store", "GCSStore", "AzureStore"), "k/x.csv")
