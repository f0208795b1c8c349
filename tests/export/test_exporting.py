"""What the user is told when something cannot be exported or run."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_controller import CONTROL, PLANNER, SIZE, SPEC, make_model

import run_agent
from agent.control.mpc import MPCConfig, WorldModelController
from agent.errors import DamagedDataError, MachineError, UserError
from agent.export import exporting
from agent.export.exporting import AGREEMENT, export_controller
from agent.export.graphs import Graph
from agent.export.onnx_model import OnnxModel
from agent.interfaces import Goals
from agent.model.checkpoint import save_checkpoint
from agent.model.predictor import PredictorConfig
from agent.model.vit import ViTConfig
from agent.model.world_model import WorldModel, WorldModelConfig


@pytest.fixture
def copied(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "copy"))


def test_settings_are_those_of_the_controller(exported: Path) -> None:
    model = OnnxModel(exported)
    assert (model.control, model.planner, model.spec) == (CONTROL, PLANNER, SPEC)
    assert (model.context, model.action_block) == (3, 2)
    assert json.loads((exported / "config.json").read_text())["facts"] == {"made": "for a test"}


def test_the_command_exports(
    model: WorldModel, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(exporting, "MPCConfig", lambda: CONTROL)  # a short horizon exports sooner
    save_checkpoint(tmp_path / "made", model, {})
    words = ["export", "--checkpoint", str(tmp_path / "made"), "--onnx", str(tmp_path / "out")]
    assert run_agent.main(words) == 0
    assert "python -m agent.export" in capsys.readouterr().out
    assert OnnxModel(tmp_path / "out").control == CONTROL


@pytest.mark.parametrize(
    ("world", "plays"), [("two-room", True), ("gym:Pendulum-v1", False), ("./my.py:Lamp", False)]
)
def test_the_program_is_recommended_where_it_plays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    world: str, plays: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(exporting, "MPCConfig", lambda: CONTROL)
    save_checkpoint(tmp_path / "made", make_model(spec=replace(SPEC, world=world)), {})
    words = ["export", "--checkpoint", str(tmp_path / "made"), "--onnx", str(tmp_path / "out")]
    assert run_agent.main(words) == 0
    said = capsys.readouterr().out + (tmp_path / "out" / "README.md").read_text()
    assert said.count("python -m agent.export") == (2 if plays else 0)
    assert ("a program of your own" in " ".join(said.split())) != plays


def test_a_checkpoint_is_not_an_exported_controller(model: WorldModel, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "made", model, {})
    with pytest.raises(UserError, match=r"expected .* an exported controller .*export"):
        OnnxModel(tmp_path / "made")


@pytest.mark.parametrize("graph", ["encode.onnx", "slopes.onnx"])
def test_damage_is_found(copied: Path, graph: str) -> None:
    content = bytearray((copied / graph).read_bytes())
    content[100] ^= 1
    (copied / graph).write_bytes(content)
    with pytest.raises(DamagedDataError, match=graph):
        OnnxModel(copied)


def test_a_file_name_is_refused(model: WorldModel, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "made", model, {})
    words = ["export", "--checkpoint", str(tmp_path / "made"), "--onnx", "out.onnx"]
    assert run_agent.main(words) == 2


def test_another_predictor_is_refused(tmp_path: Path) -> None:
    other = make_model()
    other.predictor = other.encoder  # type: ignore[assignment]
    with pytest.raises(UserError, match="residual predictor, got ConvEncoder"):
        export_controller(other, tmp_path / "out", {})
    assert not (tmp_path / "out").exists()


def test_a_network_of_another_kind_serves_one_episode_as_well(tmp_path: Path) -> None:
    vit = ViTConfig(latent_dim=4, patch_size=8, width=8, depth=1, heads=2, projector_width=8)
    config = WorldModelConfig(vit, PredictorConfig(context=2, width=8, blocks=1))
    network = WorldModel(config, SPEC).eval()
    assert export_controller(network, tmp_path / "out", {}, CONTROL) < AGREEMENT


def test_what_differs_from_torch_replaces_nothing(
    model: WorldModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_controller(model, tmp_path / "out", {}, CONTROL)
    before = (tmp_path / "out" / "manifest.json").read_bytes()
    monkeypatch.setattr(exporting, "AGREEMENT", -1.0)
    with pytest.raises(MachineError, match="nothing was written"):
        export_controller(model, tmp_path / "out", {}, MPCConfig(horizon=2))
    assert (tmp_path / "out" / "manifest.json").read_bytes() == before


def test_a_delay_is_exported_with_the_other_settings(model: WorldModel, tmp_path: Path) -> None:
    control = MPCConfig(horizon=2, delay_ticks=1, tick_ms=15.0)
    export_controller(model, tmp_path / "out", {}, control)
    assert OnnxModel(tmp_path / "out").control == control


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
    controller = WorldModelController(OnnxModel(exported))
    with pytest.raises(UserError, match=r"expected frames uint8 \(16, 16, 3\)"):
        controller.reset(Goals(pixels=frame[None]), [0])


@pytest.mark.parametrize("missing", ["onnxruntime", "onnx"])
def test_missing_packages_are_named(
    model: WorldModel, tmp_path: Path, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(
        MachineError, match=rf"{missing} is not installed: .*pip install .*{missing}"
    ):
        export_controller(model, tmp_path / "out", {}, CONTROL)
