"""What the user is told when something cannot be exported or run."""

from __future__ import annotations

import builtins
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_controller import CONTROL, SIZE, make_model

import agent.deploy.__main__ as demo
import run_agent
from agent.control.goal_cost import GoalCostConfig
from agent.control.mpc import MPCConfig
from agent.deploy.controller import OnnxController
from agent.deploy.graphs import Graphs
from agent.errors import DamagedDataError, MachineError, UserError
from agent.export import exporting
from agent.export.exporting import export_controller
from agent.export.graphs import Graph
from agent.interfaces import GoalObservation
from agent.model.checkpoint import save_checkpoint
from agent.model.world_model import WorldModel


@pytest.fixture
def copied(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "copy"))


def test_settings_are_those_of_the_controller(exported: Path) -> None:
    settings = Graphs(exported).settings
    assert (settings.horizon, settings.image_size, settings.context) == (4, SIZE, 3)
    assert (settings.surprise_limit, settings.random_starts) == (CONTROL.surprise_limit, 5)
    assert settings.control_dt_s == pytest.approx(0.04)
    assert json.loads((exported / "config.json").read_text())["facts"] == {"made": "for a test"}


def test_the_command_exports(
    model: WorldModel, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(exporting, "MPCConfig", lambda: CONTROL)  # a short horizon exports sooner
    save_checkpoint(tmp_path / "made", model, {})
    words = ["export", "--checkpoint", str(tmp_path / "made"), "--onnx", str(tmp_path / "out")]
    assert run_agent.main(words) == 0
    assert "python -m agent.deploy" in capsys.readouterr().out
    assert Graphs(tmp_path / "out").settings.horizon == CONTROL.horizon


def test_the_demo_steers_the_simulated_arm(
    exported: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["deploy", str(exported), "--seconds", "0.2"])
    assert demo.main() == 0
    assert "rad from it" in capsys.readouterr().out


def test_the_demo_has_the_exit_codes_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["deploy", str(tmp_path / "none")])
    assert demo.main() == 2


def test_a_checkpoint_is_not_an_exported_controller(model: WorldModel, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "made", model, {})
    with pytest.raises(UserError, match=r"expected .* an exported controller .*export"):
        Graphs(tmp_path / "made")


@pytest.mark.parametrize("graph", ["encode.onnx", "slopes.onnx"])
def test_damage_is_found(copied: Path, graph: str) -> None:
    content = bytearray((copied / graph).read_bytes())
    content[100] ^= 1
    (copied / graph).write_bytes(content)
    with pytest.raises(DamagedDataError, match=graph):
        Graphs(copied)


def test_a_file_name_is_refused(model: WorldModel, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "made", model, {})
    words = ["export", "--checkpoint", str(tmp_path / "made"), "--onnx", "out.onnx"]
    assert run_agent.main(words) == 2


def test_what_is_not_exported_is_refused(model: WorldModel, tmp_path: Path) -> None:
    for control in (MPCConfig(delay_ticks=1), MPCConfig(cost=GoalCostConfig(shape="terminal"))):
        with pytest.raises(UserError, match="not exported"):
            export_controller(model, tmp_path / "out", {}, control)
    other = make_model()
    other.predictor = other.encoder  # type: ignore[assignment]
    with pytest.raises(UserError, match="residual predictor, got ConvEncoder"):
        export_controller(other, tmp_path / "out", {})
    assert not (tmp_path / "out").exists()


def test_something_else_is_not_overwritten(
    model: WorldModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Graph, "to_onnx", lambda graph: b"")  # takes seconds, and is not needed
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="got something else"):
        export_controller(model, tmp_path, {}, CONTROL)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "frame",
    [np.zeros((32, 32, 3), np.uint8), np.zeros((SIZE, SIZE, 3)), np.zeros((SIZE, SIZE), np.uint8)],
    ids=["size", "type", "channels"],
)
def test_frames_of_another_kind_are_refused(exported: Path, frame: np.ndarray) -> None:
    controller = OnnxController(exported)
    with pytest.raises(UserError, match=r"expected frames uint8 \(16, 16, 3\)"):
        controller.reset([GoalObservation(frame, frame, np.zeros(4), np.zeros(4))], [0])


@pytest.mark.parametrize("missing", ["onnxruntime", "onnx"])
def test_missing_packages_are_named(
    model: WorldModel, tmp_path: Path, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name == missing:
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MachineError, match=rf"{missing} is not installed: .*lejepa-agent\[export"):
        export_controller(model, tmp_path / "out", {}, CONTROL)
