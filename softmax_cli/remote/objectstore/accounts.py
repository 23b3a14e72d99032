"""Who the program is to an object store: environment variables, which obstore reads, and the files of the AWS tools."""

from __future__ import annotations

import configparser
import os
from pathlib import Path

from softmax_cli.errors import UsageError

VARIABLES = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL; "
    "AWS_SKIP_SIGNATURE=true for a public bucket",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, GOOGLE_SERVICE_ACCOUNT; GOOGLE_SKIP_SIGNATURE=true for a public bucket",
    "az": "AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN; "
    "AZURE_SKIP_SIGNATURE=true for a public container",
}
_PROFILE_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "region", "endpoint_url")
_OWN_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_SKIP_SIGNATURE")


def variables(url: str) -> str:
    """Return the environment variables that are read for the store of a URL, for messages."""
    scheme = url.partition("://")[0].lower()
    return VARIABLES.get(scheme) or VARIABLES["s3" if scheme == "s3a" else "az"]


def settings(url: str) -> dict[str, str]:
    """Return what obstore does not find by itself: the keys and the region of an AWS profile.

    Raises
    ------
    UsageError
        AWS_PROFILE names a profile that is not there, or an endpoint is no address.
    """
    if not url.lower().startswith("s3"):
        return {}
    for variable in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT"):
        if not os.environ.get(variable, "http://").startswith(("http://", "https://")):
            raise UsageError(f"{variable}={os.environ[variable]}: it begins with https:// or http://")
    said = os.environ.get("AWS_PROFILE")
    if said is None and any(name in os.environ for name in _OWN_CREDENTIALS):
        return {}
    profile = said or "default"
    held = {
        **_section("AWS_CONFIG_FILE", "config", profile),
        **_section("AWS_SHARED_CREDENTIALS_FILE", "credentials", profile),
    }
    if said is not None and not held:
        raise UsageError(f"AWS_PROFILE={said}: no such profile in ~/.aws; aws configure list-profiles shows them")
    found = {key: held[key] for key in _PROFILE_KEYS if key in held}
    for variable, key in (
        ("AWS_REGION", "region"),
        ("AWS_DEFAULT_REGION", "region"),
        ("AWS_ENDPOINT_URL", "endpoint_url"),
    ):
        if variable in os.environ:
            found.pop(key, None)
    return found


def _section(variable: str, name: str, profile: str) -> dict[str, str]:
    path = Path(os.environ.get(variable) or Path.home() / ".aws" / name).expanduser()
    parser = configparser.RawConfigParser()
    try:
        parser.read(path, "utf-8")
    except configparser.Error as error:
        raise UsageError(f"{path}: not as the AWS tools write it: {error}") from None
    titles = (profile, f"profile {profile}")
    return {key: value for title in titles if parser.has_section(title) for key, value in parser.items(title)}
