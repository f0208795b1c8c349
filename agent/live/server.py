"""A viser server that listens where it was told to, or not at all, and is never shared."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any

from agent.errors import UserError
from agent.extras import require

MAX_FILE_BYTES = 10_000_000


def started(host: str, port: int, refuse: Callable[[int, str], None]) -> Any:
    """A ViserServer, quiet on the terminal.

    By itself it would move to another port where one is taken, open a tunnel to the world for any
    visitor who asks, and keep a file of any size in memory. ``refuse`` is told of visitors whose
    file is too large.

    Raises:
        UserError: if nothing can listen there.
        MachineError: if viser is not installed.
    """
    library: Any = require("viser")
    require_free(host, port)
    require("rich").reconfigure(quiet=True)  # it prints its address and its end
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # what a client sent is no news

    class Unshared(library.ViserServer):  # type: ignore[misc]
        def request_share_url(self, verbose: bool = True) -> None:
            return None

    # Without a label, it stands there in words whether the page is connected.
    server: Any = Unshared(host=host, port=port, verbose=False)
    _limit_files(server, refuse)
    return server


def _limit_files(server: Any, refuse: Callable[[int, str], None]) -> None:
    """Forget what is sent, and all that follows of it, when it is too large."""
    messages: Any = require("viser._messages")
    coming = server.gui._current_file_upload_states  # there is no other way to it

    def judge(visitor: int, message: Any) -> None:
        state = coming.get(message.transfer_uuid)
        size = 0 if state is None else max(state["total_bytes"], state["transferred_bytes"])
        if size > MAX_FILE_BYTES:
            del coming[message.transfer_uuid]
            refuse(visitor, f"expected a file of at most 10 MB, got {size / 1e6:.0f} MB")

    for kind in (messages.FileTransferStartUpload, messages.FileTransferPart):
        server._websock_server.register_handler(kind, judge)


def require_free(host: str, port: int) -> None:
    """UserError where nothing can listen at ``host`` and ``port``."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise UserError(
            f"expected to serve the page at {host}:{port}, but cannot listen there "
            f"({why}): name another --port, or another --host"
        ) from error
