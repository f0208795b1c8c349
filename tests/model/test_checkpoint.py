"""A world model on disk: exact, checked, and free of pickles."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from agent.errors import DamagedDataError, UserError
from agent.files.bundle import read_bundle, write_bundle
from agent.machine.memory import peak_memory_mb
from agent.model.checkpoint import (
    checkpoint_facts,
    checkpoint_sha256,
    checkpoint_spec,
    load_checkpoint,
    save_checkpoint,
)
from agent.model.description import first_use
from agent.model.world_model import WorldModel
from envs import WorldSpec

FACTS = {"seed": 3, "training": {"steps": 40}, "data": "noise"}


@pytest.fixture
def saved(model: WorldModel, tmp_path: Path) -> Path:
    save_checkpoint(tmp_path / "checkpoint", model, FACTS)
    return tmp_path / "checkpoint"


def edit_config(directory: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change config.json with the manifest to match, as another version would have written it."""
    files = read_bundle(directory)
    config = json.loads(files["config.json"])
    change(config)
    write_bundle(directory, {**files, "config.json": json.dumps(config).encode()})


def test_round_trip_is_exact(model: WorldModel, saved: Path) -> None:
    loaded = load_checkpoint(saved)
    assert loaded.config == model.config
    assert loaded.spec == model.spec == checkpoint_spec(saved)
    assert not loaded.training
    theirs, ours = loaded.state_dict(), model.state_dict()
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(theirs[name], value) for name, value in ours.items())
    frames = torch.randint(0, 256, (5, 16, 16, 3), dtype=torch.uint8)
    assert torch.equal(loaded.encode(frames), model.encode(frames))
    assert checkpoint_facts(saved) == FACTS


def test_same_model_same_bytes(model: WorldModel, saved: Path, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "again", load_checkpoint(saved), FACTS)
    assert read_bundle(tmp_path / "again") == read_bundle(saved)
    assert checkpoint_sha256(tmp_path / "again") == checkpoint_sha256(saved)
    model.goal_metric[0, 0] += 1e-3
    save_checkpoint(tmp_path / "other", model, FACTS)
    assert checkpoint_sha256(tmp_path / "other") != checkpoint_sha256(saved)


def test_holds_json_text_and_safetensors_and_no_pickle(saved: Path) -> None:
    names = {path.name for path in saved.rglob("*")}
    assert names == {"config.json", "model.safetensors", "README.md", "manifest.json"}
    json.loads((saved / "config.json").read_text())
    (saved / "README.md").read_text()
    assert safetensors.torch.load_file(saved / "model.safetensors").keys()


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "README.md"])
def test_a_flipped_byte_is_damage(saved: Path, name: str) -> None:
    content = bytearray((saved / name).read_bytes())
    content[len(content) // 2] ^= 0x10
    (saved / name).write_bytes(content)
    with pytest.raises(DamagedDataError, match=name):
        load_checkpoint(saved)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "manifest.json"])
def test_a_missing_file_is_damage(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(DamagedDataError, match=name):
        load_checkpoint(saved)


def test_no_checkpoint_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere"):
        load_checkpoint(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda c: c.update(schema="lejepa-agent/world-model/999"), "world-model/999"),
        (lambda c: c.pop("schema"), "config.json"),
        (lambda c: c.pop("model"), "config.json"),
        (lambda c: c["model"].update(wings=2), "wings"),
        (lambda c: c["model"]["encoder"].update(latent_dim=0), "latent_dim"),
        (lambda c: c["world"].pop("step_s"), "step_s"),
        (lambda c: c.pop("world"), "world"),
    ],
    ids=["schema", "no schema", "no model", "unknown key", "refused value", "no time", "no world"],
)
def test_another_versions_config_is_the_users_mistake(
    saved: Path, change: Callable[[dict[str, Any]], Any], named: str
) -> None:
    edit_config(saved, change)
    with pytest.raises(UserError, match=named):
        load_checkpoint(saved)


def test_weights_that_do_not_fit_the_config_are_damage(saved: Path) -> None:
    edit_config(saved, lambda c: c["model"]["encoder"].update(latent_dim=5))
    with pytest.raises(DamagedDataError, match="do not fit"):
        load_checkpoint(saved)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["model"]["encoder"].update(latent_dim=10**6),
        lambda c: c["model"]["encoder"].update(hidden=10**12),
        lambda c: c["model"]["encoder"].update(hidden=10**30),
        lambda c: c["model"]["encoder"].update(channels=[10**6, 10**6, 10**6]),
        lambda c: c["model"]["predictor"].update(blocks=10**9),
        lambda c: c["model"]["predictor"].update(context=10**9),
        lambda c: c["model"].update(action_block=10**9),
        lambda c: c["model"].update(head={"width": 64, "blocks": 10**9}),
        lambda c: c["world"].update(action_dim=10**9),
        lambda c: c["world"].update(image_size=[4096, 4096]),
    ],
    ids=range(10),
)
def test_a_config_of_huge_sizes_takes_no_memory(
    saved: Path, change: Callable[[dict[str, Any]], Any]
) -> None:
    edit_config(saved, change)
    start_s, before_mb = time.monotonic(), peak_memory_mb()
    with pytest.raises((DamagedDataError, UserError), match=str(saved)):
        load_checkpoint(saved)
    assert peak_memory_mb() - before_mb < 50
    assert time.monotonic() - start_s < 2


@pytest.mark.parametrize(
    "told",
    [
        b'{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}',
        b'{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4]}}',
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}',
        b'{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}',
        b"[" * 10**5,
    ],
    ids=range(5),
)
@pytest.mark.parametrize("length", [None, 2**40, 2**64 - 1])
def test_weights_whose_header_lies_are_damage(saved: Path, told: bytes, length: int | None) -> None:
    header = (len(told) if length is None else length).to_bytes(8, "little") + told
    write_bundle(saved, {**read_bundle(saved), "model.safetensors": header + bytes(64)})
    with pytest.raises(DamagedDataError, match="do not fit"):
        load_checkpoint(saved)


def test_a_config_that_is_nested_without_end_is_refused(saved: Path) -> None:
    write_bundle(saved, {**read_bundle(saved), "config.json": b"[" * 10**5})
    with pytest.raises(UserError, match=r"config\.json"):
        load_checkpoint(saved)


def test_a_bundle_of_something_else_is_the_users_mistake(tmp_path: Path) -> None:
    write_bundle(tmp_path / "song", {"song.txt": b"la la"})
    with pytest.raises(UserError, match=r"config\.json"):
        load_checkpoint(tmp_path / "song")


def test_the_model_card_tells_a_stranger_what_it_is(saved: Path) -> None:
    card = (saved / "README.md").read_text()
    for expected in (
        "recorded:spots",
        "`drawn`",
        "16 x 16 px",
        "0.08 s",
        "MIT",
        "| seed | 3 |",
        "run_agent.py evaluate --checkpoint THIS_DIRECTORY --data DIR`",
        "steps | 40 |",
    ):
        assert expected in card


def test_a_checkpoint_of_the_first_schema_is_what_it_was(first_schema: Path) -> None:
    """Its world was among its settings."""
    model = load_checkpoint(first_schema)
    found = (model.spec.world, model.spec.look, model.spec.image_size, model.spec.action_dim)
    assert found == ("reacher", "fast", (64, 64), 2)
    assert model.spec.step_s == pytest.approx(0.04) and checkpoint_spec(first_schema) == model.spec
    written = safetensors.torch.load(read_bundle(first_schema)["model.safetensors"])
    assert written.keys() == model.state_dict().keys()
    assert all(torch.equal(written[name], held) for name, held in model.state_dict().items())


def test_the_first_schema_is_written_again_as_the_second(
    first_schema: Path, tmp_path: Path
) -> None:
    model = load_checkpoint(first_schema)
    save_checkpoint(tmp_path / "again", model, checkpoint_facts(first_schema))
    again = load_checkpoint(tmp_path / "again")
    assert (again.spec, again.config) == (model.spec, model.config)
    assert checkpoint_facts(tmp_path / "again") == checkpoint_facts(first_schema)


@pytest.mark.parametrize(
    ("world", "use"),
    [
        ("two-room", "control --checkpoint HERE"),
        ("gym:Pendulum-v1@obs_0=0.1", "control --checkpoint HERE"),
        ("gym:mine:Lamp-v0", "control --checkpoint HERE --world gym:mine:Lamp-v0"),
        ("./my files/w.py:Lamp", "control --checkpoint HERE --world './my files/w.py:Lamp'"),
        ("w.py:Lamp", "control --checkpoint HERE --world FILE.py:CLASS"),  # lies elsewhere
        ("lamp", "control --checkpoint HERE --world FILE.py:CLASS"),
        ("recorded:lamp", "evaluate --checkpoint HERE --data THERE"),
    ],
)
def test_the_first_use_of_a_model_is_one_that_is_not_refused(
    world: str, use: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my files").mkdir()
    Path("my files/w.py").touch()
    spec = WorldSpec(world, "drawn", (16, 16), 1, 0.1)
    assert first_use(spec, "HERE", "THERE") == f"python run_agent.py {use}"
