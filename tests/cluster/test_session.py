"""Clusters that cannot be reached: one line each, at once, and before anything is made."""

from __future__ import annotations

import re
import socket
import sys

import pytest

from agent.cluster.ray_session import _refusal, ray_session
from agent.data import CollectConfig, collect
from agent.errors import MachineError, UserError
from agent.extras import require


def test_an_address_that_answers_nothing_is_named_at_once(tmp_path):
    pytest.importorskip("ray")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(MachineError, match=f"nothing answers at {address}.*ray start --head"):
            collect(CollectConfig(tmp_path / "set", "two-room", episodes=1, cluster=address))
    collect(CollectConfig(tmp_path / "set", "two-room", episodes=1, episode_steps=2, workers=1))


@pytest.mark.parametrize("address", ["auto", "10.0.0.1", ":6379", "ray://there:10001/x"])
def test_an_address_that_is_none_says_what_one_is(address):
    pytest.importorskip("ray")
    with pytest.raises(UserError, match="HOST:PORT"), ray_session(address, 1):
        pass


def test_without_ray_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MachineError, match=r"pip install .*ray"):
        require("ray")


@pytest.mark.parametrize(
    ("said", "told"),
    [("Version mismatch: The cluster was started with:\n    Ray: 2.40.0\n    Python: 3.9.1\n"
      "This process on Ray was started with:\n    Ray: 2.60.0\n    Python: 3.11.7\n",
      "Ray: 2.40.0 Python: 3.9.1 This process.*Install the cluster's versions"),
     ("Token authentication is enabled but no authentication token was found. Help:\n - a\n - b",
      "no authentication token was found: .*Put the cluster's token.*RAY_AUTH_TOKEN"),
     ("Failed to connect to Ray cluster at there:6379", "a wrong token.*RAY_AUTH_TOKEN")],
)  # fmt: skip
def test_what_ray_refuses_becomes_one_line_with_the_way_out(said, told):
    line = _refusal("there:6379", RuntimeError(said))
    assert re.search(told, line) and "\n" not in line
