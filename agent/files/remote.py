"""Places that are no folder of this machine: what lies under a URL, read through fsspec."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from agent.errors import MachineError, UserError
from agent.extras import require

# What answers nothing is given up after some 20 s; a short failure is tried again.
_CONFIG_OF_S3 = {"connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 2}}
_NOT_ALLOWED = ("NoCredentials", "PartialCredentials", "PermissionError", "CredentialRetrieval")


class RemotePath:
    """A file or folder under a URL, with the few methods of ``pathlib.Path`` that reading needs.

    Raises:
        UserError: for a kind of URL that fsspec does not know.
        MachineError: from every method if the store cannot be reached or does not let us in.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self.name = self._url.rpartition("/")[2]
        self._files = _file_system(url.partition("://")[0])

    def __truediv__(self, name: str) -> Self:
        return type(self)(f"{self._url}/{name}")

    def __str__(self) -> str:
        return self._url

    def exists(self) -> bool:
        """Whether there is such a file or folder."""
        return self._kind() is not None

    def is_file(self) -> bool:
        """Whether there is such a file."""
        return self._kind() == "file"

    def read_bytes(self) -> bytes:
        """The whole file; FileNotFoundError if there is none."""
        with _explained(self._url):
            return bytes(self._files.cat_file(self._url))

    def _kind(self) -> str | None:
        try:
            with _explained(self._url):  # fsspec's own exists() takes every failure for a no
                return str(self._files.info(self._url)["type"])
        except FileNotFoundError:
            return None

    def glob(self, pattern: str) -> Iterator[Self]:
        """The files of this folder whose names fit."""
        with _explained(self._url):
            found = self._files.glob(f"{self._url}/{pattern}")
        return (self / str(name).rpartition("/")[2] for name in found)


Place = Path | RemotePath


def place(text: str | Path | RemotePath) -> Place:
    """The folder, or what the URL says (as ``s3://bucket/folder``)."""
    if isinstance(text, RemotePath):
        return text
    return RemotePath(str(text)) if "://" in str(text) else Path(text)


def _file_system(protocol: str) -> Any:
    fsspec = require("fsspec")
    options: dict[str, Any] = {}
    if protocol == "s3":
        require("s3fs")
        options = {"config_kwargs": _CONFIG_OF_S3}
    try:
        return fsspec.filesystem(protocol, **options)
    except ValueError as error:
        raise UserError(
            f"expected a folder, or a URL such as s3://bucket/folder, got one of {protocol}://"
        ) from error
    except ImportError as error:
        raise MachineError(f"cannot read {protocol}://: {error}") from error


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Whatever a store raises, as ours; each has errors of its own."""
    try:
        yield
    except (FileNotFoundError, UserError, MachineError):
        raise
    except Exception as error:
        kind, said = type(error).__name__, str(error).partition("\n")[0] or "no details"
        if any(name in f"{kind} {said}" for name in _NOT_ALLOWED):
            raise MachineError(
                f"not allowed to read {url}: {said}. Give this process credentials for it, as the "
                "store's own tools take them (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a "
                "profile)"
            ) from error
        raise MachineError(
            f"cannot reach {url} ({kind}: {said}): see to the network and the store's address "
            "(AWS_ENDPOINT_URL), then run the same command again"
        ) from error
