"""S3Store: sealed calls in a bucket of any S3-compatible store, by boto3; retention and holds are its object lock."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import functools
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from voicebot.evidence.depot.objects import Found, Sink, StoreTrouble

Lock = Literal["off", "governance", "compliance"]
Method = TypeVar("Method", bound=Callable[..., Any])

_MISSING = {"404", "NoSuchKey", "NotFound"}
_WITHOUT_LOCK = {"ObjectLockConfigurationNotFoundError", "404", "NoSuchObjectLockConfiguration"}
_CHUNK = 1 << 20


def _told(method: Method) -> Method:
    """What boto3 raises becomes StoreTrouble, with the bucket's name and the store's own words."""

    @functools.wraps(method)
    def wrapped(self: S3Store, *given: Any, **named: Any) -> Any:
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return method(self, *given, **named)
        except ClientError as error:
            code, what = _code(error), error.response.get("Error", {}).get("Message", "")
            raise StoreTrouble(f"{self.name}: the store refuses: {code}: {what}; {_remedy(code)}") from error
        except (BotoCoreError, Boto3Error) as error:
            raise StoreTrouble(f"{self.name}: the store can't be reached: {error}") from error

    return cast("Method", wrapped)


class S3Store:
    """One bucket, all keys below `prefix`. Needs the extra `s3`; StoreTrouble without it."""

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        lock: Lock = "governance",
        endpoint: str | None = None,
        region: str | None = None,
        key_id: str | None = None,
        secret: str | None = None,
        authorities: Path | None = None,
    ) -> None:
        if importlib.util.find_spec("boto3") is None:
            raise StoreTrouble("VOICEBOT_OBJECT_STORE needs boto3: pip install 'voicebot[s3]'")
        self.name = f"s3://{bucket}/{prefix}".rstrip("/")
        self._bucket, self._prefix, self._lock = bucket, prefix.strip("/"), lock
        self._client = _client(endpoint, region, key_id, secret, authorities)

    @_told
    def check(self) -> None:
        self._client.head_bucket(Bucket=self._bucket)
        if self._lock != "off" and not self._locks():
            raise StoreTrouble(
                f"{self.name}: the bucket has no object lock: make one that has, or set VOICEBOT_OBJECT_LOCK=off"
            )

    def _locks(self) -> bool:
        from botocore.exceptions import ClientError

        try:
            found = self._client.get_object_lock_configuration(Bucket=self._bucket)
        except ClientError as error:
            if _code(error) in _WITHOUT_LOCK:
                return False
            raise
        return bool(found.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled")

    @_told
    def put(self, key: str, file: Path, sha256: str, keep_until: dt.datetime | None, held: bool) -> str | None:
        locked: dict[str, Any] = {}
        if self._lock != "off":
            locked["ObjectLockLegalHoldStatus"] = "ON" if held else "OFF"
            if keep_until is not None and keep_until > dt.datetime.now(dt.UTC):
                locked |= {"ObjectLockMode": self._lock.upper(), "ObjectLockRetainUntilDate": keep_until}
        with file.open("rb") as body:
            done = self._client.put_object(
                Bucket=self._bucket,
                Key=self._key(key),
                Body=body,
                ContentType="application/zip",
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=base64.b64encode(bytes.fromhex(sha256)).decode("ascii"),
                **locked,
            )
        return _version(done)

    @_told
    def find(self, key: str) -> Found | None:
        from botocore.exceptions import ClientError

        try:
            found = self._client.head_object(Bucket=self._bucket, Key=self._key(key), ChecksumMode="ENABLED")
        except ClientError as error:
            if _code(error) in _MISSING:
                return None
            raise
        until = found.get("ObjectLockRetainUntilDate")
        held = found.get("ObjectLockLegalHoldStatus") == "ON"
        return Found(int(found["ContentLength"]), _hex(found.get("ChecksumSHA256")), _version(found), until, held)

    @_told
    def read(self, key: str, target: Sink) -> bool:
        from botocore.exceptions import ClientError

        try:
            found = self._client.get_object(Bucket=self._bucket, Key=self._key(key))
        except ClientError as error:
            if _code(error) in _MISSING:
                return False
            raise
        for chunk in found["Body"].iter_chunks(_CHUNK):
            target.write(chunk)
        return True

    @_told
    def hold(self, key: str, version: str | None, on: bool) -> None:
        if self._lock != "off":
            status = {"Status": "ON" if on else "OFF"}
            self._client.put_object_legal_hold(**self._named(key, version), LegalHold=status)

    @_told
    def keep(self, key: str, version: str | None, until: dt.datetime) -> None:
        if self._lock != "off":
            retention = {"Mode": self._lock.upper(), "RetainUntilDate": until}
            self._client.put_object_retention(**self._named(key, version), Retention=retention)

    @_told
    def delete(self, key: str) -> None:
        pages = self._client.get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self._bucket, Prefix=self._key(key)):
            for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                if one["Key"] == self._key(key):
                    self._client.delete_object(Bucket=self._bucket, Key=one["Key"], VersionId=one["VersionId"])

    def _key(self, key: str) -> str:
        return f"{self._prefix}/{key}" if self._prefix else key

    def _named(self, key: str, version: str | None) -> dict[str, str]:
        named = {"Bucket": self._bucket, "Key": self._key(key)}
        return named | ({"VersionId": version} if version else {})


def _client(
    endpoint: str | None, region: str | None, key_id: str | None, secret: str | None, authorities: Path | None
) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=5,
        read_timeout=60,
        retries={"mode": "standard", "max_attempts": 3},
        s3={"addressing_style": "path" if endpoint else "auto"},
        # Stores other than Amazon's refuse what they do not know; SHA-256 is sent where it is wanted.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=region or ("us-east-1" if endpoint else None),
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        verify=str(authorities) if authorities else None,
        config=config,
    )


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _remedy(code: str) -> str:
    known = {
        "NoSuchBucket": "make the bucket, or set VOICEBOT_OBJECT_STORE to one that exists",
        "404": "make the bucket, or set VOICEBOT_OBJECT_STORE to one that exists",
        "AccessDenied": "give these credentials the rights that docs/how-to/object-store.md lists",
        "403": "give these credentials the rights that docs/how-to/object-store.md lists",
        "InvalidAccessKeyId": "see to VOICEBOT_OBJECT_STORE_KEY_ID",
        "SignatureDoesNotMatch": "see to VOICEBOT_OBJECT_STORE_SECRET",
    }
    return known.get(code, "it is tried again")


def _version(told: Any) -> str | None:
    version = told.get("VersionId")
    return None if version in (None, "null") else str(version)


def _hex(told: str | None) -> str | None:
    """SHA-256 of a whole object; None for that of an object in parts, which is a hash of hashes."""
    try:
        digest = base64.b64decode(told or "", validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest.hex() if len(digest) == 32 else None
