"""A connection to a Ray cluster: one at an address, or one that is started here for a while.

Ray runs code that whoever reaches it sends. So a cluster started here listens on the loopback alone
and asks for a token that no other process knows; at an address, Ray's own token is asked for unless
``RAY_AUTH_MODE`` says otherwise.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agent.errors import MachineError, UserError
from agent.extras import require
from agent.machine.temporary import answering, environment

LOCAL = "local"
OBJECT_STORE_BYTES = 256 * 2**20  # of a cluster started here: results are handed on at once
ANSWER_TIMEOUT_S = 5.0
MAX_TOLD = 300  # letters of what Ray says
OURS = ("agent", "envs", "planners", "studies", "benchmarks")
_LOOPBACK = "127.0.0.1"
_LOOPBACKS = (_LOOPBACK, "localhost", "[::1]")
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nobody is told
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # tasks that ask for no GPU may see those there are
    "RAY_task_oom_retries": "20",  # not for ever, where the task itself is what takes the memory
    "RAY_worker_niceness": "0",  # of a cluster started here: as processes of our own are
    "RAY_AIR_NEW_OUTPUT": "0",  # Tune keeps silent, writes no logs of its own, leaves Ctrl-C to us
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
}


@contextmanager
def ray_session(address: str, cpus: int) -> Iterator[Any]:
    """The module ``ray``, connected; a cluster started here has ``cpus`` and ends with the body.

    A connection that is there already is used, and left.

    Raises:
        UserError: for an address that is none.
        MachineError: if there is no Ray, nothing answers, it is another Ray or Python, or the token
            is missing or wrong.
    """
    connected = sys.modules.get("ray")
    if connected is not None and connected.is_initialized():
        yield connected
        return
    with locked(anew=address == LOCAL) as ray, ExitStack() as opened:
        # Ray answers SIGTERM itself from when it starts; this program has its own answer.
        with answering({signal.SIGTERM: signal.getsignal(signal.SIGTERM)}):
            if address == LOCAL:
                # where it keeps sockets and logs
                place = TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True)
                _start(ray, cpus, opened.enter_context(place))
            else:
                _connect(ray, address)
        opened.callback(ray.shutdown)
        yield ray


@contextmanager
def locked(anew: bool = True) -> Iterator[Any]:
    """The module ``ray``, which asks for a token and tells nobody of its use, in the body.

    ``anew``: for a token that no other process knows; else for the user's, unless ``RAY_AUTH_MODE``
    says otherwise.
    """
    mode = {"RAY_AUTH_MODE": "token" if anew else os.environ.get("RAY_AUTH_MODE", "token")}
    token = {"RAY_AUTH_TOKEN": secrets.token_hex(32)} if anew else {}
    with environment(_QUIET | mode | token):
        ray = require("ray")
        _read_environment_again()
        yield ray


def _read_environment_again() -> None:
    """Ray keeps what it read when it was imported, or when a former cluster was started."""
    native = require("ray._raylet")
    native.Config.initialize("")
    native.AuthenticationTokenLoader.instance().reset_cache()


def _start(ray: Any, cpus: int, place: str) -> None:
    try:
        ray.init(
            address=LOCAL, num_cpus=cpus, num_gpus=0, object_store_memory=OBJECT_STORE_BYTES,
            include_dashboard=False, _node_ip_address=_LOOPBACK, _temp_dir=place,
            **_SILENT,
        )  # fmt: skip
    except Exception as error:
        raise MachineError(f"Ray does not start here: {_first_line(error)}") from error


def _connect(ray: Any, address: str) -> None:
    host = _require_answer(address)
    try:
        with environment(_SOON), _loopback_kept() if host in _LOOPBACKS else nullcontext():
            ray.init(address=address, runtime_env={"py_modules": _our_code()}, **_SILENT)
    except Exception as error:
        raise MachineError(_refusal(address, error)) from error


def _our_code() -> list[str]:
    """The packages that travel to every node, so that all of them run what is here."""
    loaded = [sys.modules[name] for name in OURS if name in sys.modules]
    return [str(Path(str(module.__file__)).parent) for module in loaded]


_SOON = {"RAY_gcs_server_port_wait_time_s": "3"}  # tries of a second each, where it refuses
_SILENT = {"logging_level": "ERROR", "log_to_driver": False}


@contextmanager
def _loopback_kept() -> Iterator[None]:
    """Else Ray looks for a loopback address at the one that other machines know this one by."""
    constants = require("ray._private.ray_constants")
    before = constants.ENABLE_RAY_CLUSTER
    constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        constants.ENABLE_RAY_CLUSTER = before


def _require_answer(address: str) -> str:
    """The host, which answers: Ray itself would try for a minute, and then end the process."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise UserError(
            f"expected --cluster HOST:PORT, as `ray start --head` says, or {LOCAL}, got {address!r}"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_TIMEOUT_S).close()
    except (OSError, OverflowError) as error:
        raise MachineError(
            f"nothing answers at {address} ({error}): start the cluster with `ray start --head`, "
            "or leave out --cluster to work with processes of this machine"
        ) from error
    return host


def _refusal(address: str, error: Exception) -> str:
    """One line: Ray says the versions in four, and of a token nothing where it is the wrong one."""
    told, advice = " ".join(str(error).split())[:MAX_TOLD], ""
    if "ersion" in told:
        advice = ". Install the cluster's versions here, or this one's there"
    elif "uthentication" in told or "ailed to connect" in told:
        told = told.partition(". ")[0]
        advice = (
            ": a wrong token, or no Ray cluster. Put the cluster's token, which `ray "
            "get-auth-token` shows there, into RAY_AUTH_TOKEN or ~/.ray/auth_token here; a cluster "
            "without one needs RAY_AUTH_MODE=disabled"
        )
    return f"the Ray cluster at {address} refuses: {told}{advice}"


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), repr(error))
