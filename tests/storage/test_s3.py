"""Which account an object store is asked with, and what its answers mean; the stores themselves are in remote/."""

import pytest

from softmax_cli.errors import DataError, UsageError
from softmax_cli.storage.remote import s3


@pytest.fixture
def profiles(tmp_path, monkeypatch):
    """Files as the AWS tools write them, and no variable of the machine's own."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text(
        "[default]\naws_access_key_id = mine\naws_secret_access_key = s\n[work]\naws_access_key_id = works\n"
    )
    (tmp_path / ".aws/config").write_text("[default]\nregion = eu-north-1\n[profile work]\nregion = us-west-2\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / ".aws"


def test_the_default_profile(profiles):
    expected = {"aws_access_key_id": "mine", "aws_secret_access_key": "s", "region": "eu-north-1"}
    assert s3.settings("s3://bucket") == expected


def test_a_profile_that_is_named(profiles, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert s3.settings("s3://bucket") == {"aws_access_key_id": "works", "region": "us-west-2"}
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert s3.settings("s3://bucket") == {"aws_access_key_id": "works"}, "the environment goes first"
    monkeypatch.setenv("AWS_PROFILE", "wrok")
    with pytest.raises(UsageError, match="AWS_PROFILE=wrok: no such profile"):
        s3.settings("s3://bucket")


def test_keys_of_the_environment_leave_the_files_alone(profiles, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "env")
    assert s3.settings("s3://bucket") == {}
    assert s3.settings("gs://bucket") == {}


def test_what_cannot_be_meant(profiles, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "127.0.0.1:9000")
    with pytest.raises(UsageError, match="begins with https:// or http://"):
        s3.settings("s3://bucket")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    (profiles / "config").write_text("region = nowhere\n")
    with pytest.raises(UsageError, match="not as the AWS tools write it"):
        s3.settings("s3://bucket")


@pytest.mark.parametrize(
    ("url", "variable"),
    [("s3://b", "AWS_ACCESS_KEY_ID"), ("s3a://b", "AWS_"), ("gs://b", "GOOGLE_"), ("abfss://b", "AZURE_")],
)
def test_messages_name_the_variables_of_the_store(url, variable):
    assert variable in s3.variables(url)


ANSWER = "<Error><Code>{}</Code><Message>it is so</Message></Error>"


@pytest.mark.parametrize(
    ("told", "error", "words"),
    [
        (ANSWER.format("NoSuchBucket"), UsageError, r"^s3://b: there is no such bucket \(NoSuchBucket: it is so\)$"),
        ("Could not parse path: //", UsageError, "such a key cannot be named here"),
        ("http://169.254.169.254/latest/meta-data", DataError, "no credentials were found; these are read"),
        (ANSWER.format("PermanentRedirect"), DataError, "in another region .* set AWS_REGION"),
        ("status code: 403 Forbidden\nmore", DataError, r"refuses access \(403 Forbidden\)"),
        ("error sending request for url (http://127.0.0.1:9/b)", DataError, "http://127.0.0.1:9 does not answer"),
        ("something else\nand more", DataError, "s3://b/k.csv: something else; these are read"),
    ],
)
def test_answers(told, error, words):
    found = s3._failure("s3://b/k.csv", told)
    assert type(found) is error
    with pytest.raises(error, match=words):
        raise found


def test_a_bucket_is_needed():
    with pytest.raises(UsageError, match="no bucket is named; write s3://BUCKET/KEY"):
        s3.look("s3:///k.csv")
