"""``train`` with settings by name, from a file and from a checkpoint, on a tiny recording."""

from __future__ import annotations

import json
import shlex
import tomllib
import typing
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import run_agent
from agent.commands import training_settings
from agent.commands.train import Train
from agent.commands.training_settings import chosen_settings, read_settings
from agent.config import PRESETS, as_toml, changed, default, preset
from agent.data import RolloutWriter
from agent.files.bundle import read_bundle
from agent.model.checkpoint import checkpoint_facts, load_checkpoint
from envs import WorldSpec

Output = pytest.CaptureFixture[str]
QUICK = ["--preset", "tiny", "--steps", "4", "--threads", "1", "--training.batch", "4"]


def record(out: Path, world: str) -> Path:
    """4 episodes of 30 steps without states: noise in which one action shifts the brightness."""
    rng = np.random.default_rng(0)
    with RolloutWriter(out, WorldSpec(world, "drawn", (16, 16), 1, 0.1)) as writer:
        for _ in range(4):
            actions = rng.uniform(-1, 1, (30, 1))
            level = 120 + 8 * np.cumsum(np.concatenate([[[0.0]], actions]))
            noise = rng.integers(0, 60, (31, 16, 16, 3))
            frames = np.clip(noise + level[:, None, None, None], 0, 255).astype(np.uint8)
            writer.add(frames, actions)
    return out


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of a world with one action."""
    return record(tmp_path_factory.mktemp("train") / "data", "recorded:lamp")


def train(data: Path, out: Path, *words: str) -> int:
    return run_agent.main(["train", "--data", str(data), "--out", str(out), *words])


def shown(data: Path, capsys: Output, words: Sequence[str]) -> dict[str, typing.Any]:
    """What --print-config shows."""
    assert train(data, data / "none", *words, "--print-config") == 0
    return tomllib.loads(capsys.readouterr().out)


def test_settings_are_shown_without_a_place_and_nothing_is_learned_without_one(
    capsys: Output,
) -> None:
    assert run_agent.main(["train", "--print-config"]) == 0
    assert tomllib.loads(capsys.readouterr().out)["preset"] == "default"
    for words, missing in (([], "--data and --out"), (["--data", "x"], "--out:")):
        assert run_agent.main(["train", *words]) == 2
        assert f"expected {missing}" in capsys.readouterr().err


def weights(run: Path) -> bytes:
    return read_bundle(run / "checkpoint")["model.safetensors"]


def test_a_users_own_settings_are_not_written_over(data: Path, tmp_path: Path) -> None:
    mine = tmp_path / "config.toml"
    mine.write_text("[tool.mine]\n", encoding="utf-8")
    words = ["train", "--data", str(data), "--out", str(tmp_path), "--preset", "tiny"]
    assert run_agent.main(words) == 2
    assert mine.read_text(encoding="utf-8") == "[tool.mine]\n"


def test_the_flag_knows_every_preset() -> None:
    hint = typing.get_type_hints(Train)["preset"]
    assert set(typing.get_args(typing.get_args(hint)[0])) == set(PRESETS)


def test_settings_by_name_reach_the_model_and_the_run_can_be_repeated_from_its_file(
    data: Path, tmp_path: Path
) -> None:
    words = [*QUICK, "--model.encoder.latent-dim=6", "--model.encoder.channels", "[4,4,8]"]
    assert train(data, tmp_path / "one", *words) == 0
    model = load_checkpoint(tmp_path / "one" / "checkpoint")
    assert model.latent_dim == 6 and model.config.encoder.channels == (4, 4, 8)
    assert model.spec.world == "recorded:lamp" and model.action_width == 2
    facts = checkpoint_facts(tmp_path / "one" / "checkpoint")
    assert facts["training"]["batch"] == 4
    assert facts["head"]["steps"] == 2  # 20 for 40 steps are 2 for 4
    written = str(tmp_path / "one" / "config.toml")
    assert train(data, tmp_path / "two", "--config", written) == 0
    assert weights(tmp_path / "two") == weights(tmp_path / "one")
    assert (tmp_path / "two" / "config.toml").read_text() == Path(written).read_text()


def test_it_resumes_with_the_same_words_and_refuses_others(
    data: Path, tmp_path: Path, capsys: Output
) -> None:
    assert train(data, tmp_path / "run", *QUICK) == 0
    before = weights(tmp_path / "run")
    for words in (QUICK, ()):  # with none, those that lie beside the run
        assert train(data, tmp_path / "run", *words, "--resume") == 0
        assert weights(tmp_path / "run") == before
    capsys.readouterr()
    assert train(data, tmp_path / "run", "--preset", "tiny", "--steps", "9", "--resume") == 2
    assert "was written with" in capsys.readouterr().err
    assert train(data, tmp_path / "run", *QUICK, "--training.learning-rate", "1", "--resume") == 2
    assert "training.learning_rate=0.003" in capsys.readouterr().err


def test_it_resumes_on_fewer_cores_as_it_began(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cores in (2, 1):
        monkeypatch.setattr(training_settings, "usable_cores", lambda cores=cores: cores)
        again = ["--resume"] if cores == 1 else []
        assert train(data, tmp_path / "run", "--preset", "tiny", "--steps", "2", *again) == 0
    threads = read_settings(tmp_path / "run" / "config.toml")[1]["training.threads"]
    assert threads == min(2, default().training.threads)


def test_what_a_run_began_from_is_named_where_it_is_gone(
    data: Path, tmp_path: Path, capsys: Output
) -> None:
    assert train(data, tmp_path / "first", *QUICK) == 0
    on = ["--from", str(tmp_path / "first"), "--preset", "tiny", "--steps", "2"]
    assert train(data, tmp_path / "run", *on) == 0
    capsys.readouterr()
    (tmp_path / "first").rename(tmp_path / "moved")
    assert train(data, tmp_path / "run", *on, "--resume") == 2
    assert "was begun from it" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["--steps", "60", "--training.steps", "50"], ["--memory", "2", "--training.memory-gb", "2"]],
)
def test_a_setting_that_is_said_twice_is_refused(
    words: list[str], data: Path, capsys: Output
) -> None:
    assert train(data, data / "none", *words, "--print-config") == 2
    told = capsys.readouterr().err
    assert f"expected {words[0]} or --training" in told and "got both" in told


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_is_shown_as_toml_that_reads_back(name: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(as_toml(preset(name), name))
    named, changes = read_settings(path)
    assert named == name and chosen_settings(name, None, changes) == preset(name)


def test_steps_of_the_head_follow_a_file_that_only_followed(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    for written, asked in ((default(), 1000), (changed(default(), {"head.steps": 7}), 7)):
        path.write_text(as_toml(written, "default"))
        changes = read_settings(path)[1]
        assert chosen_settings("default", None, changes).head == written.head
        shorter = chosen_settings("default", None, changes, {"training.steps": 180})
        assert shorter.head.steps == (asked if asked == 7 else asked // 10)


def test_flags_win_over_the_file_and_the_file_over_the_preset(
    data: Path, tmp_path: Path, capsys: Output
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'preset = "tiny"\n[training]\nsteps = 7\nbatch = 5\n[model.encoder]\nhidden = 9'
    )
    words = ["--config", str(path), "--steps", "8", "--model.encoder.hidden", "11"]
    found = shown(data, capsys, words)
    assert found["preset"] == "tiny"
    assert (found["training"]["steps"], found["training"]["batch"]) == (8, 5)
    assert (found["model"]["encoder"]["hidden"], found["model"]["encoder"]["latent_dim"]) == (11, 8)
    assert not (data / "none").exists()


@pytest.mark.parametrize(
    ("words", "steps"),
    [
        (["--steps", "36"], 20),
        (["--training.steps", "36"], 20),
        (["--steps", "7200"], 4000),
        (["--steps", "1"], 1),
        (["--steps", "36", "--head.steps", "50"], 50),
        (["--steps", "36", "--head.steps", "0"], 0),
        ([], 1000),
        (["--preset", "tiny", "--steps", "80"], 40),
    ],
    ids=str,
)
def test_the_head_learns_in_proportion(
    words: list[str], steps: int, data: Path, tmp_path: Path, capsys: Output
) -> None:
    assert train(data, data / "none", *words, "--print-config") == 0
    path = tmp_path / "shown.toml"
    path.write_text(capsys.readouterr().out)
    named, settings = read_settings(path)
    assert chosen_settings(named or "", None, settings).head.steps == steps


def test_threads_are_no_more_than_cores_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_settings, "usable_cores", lambda: 1)
    assert chosen_settings("default", None).training.threads == 1
    assert chosen_settings("default", None, {"training.threads": 3}).training.threads == 3
    monkeypatch.setattr(training_settings, "usable_cores", lambda: 64)
    assert chosen_settings("default", None).training.threads == 2


def test_it_goes_on_from_a_run_and_keeps_its_network(
    data: Path, tmp_path: Path, capsys: Output
) -> None:
    assert train(data, tmp_path / "one", *QUICK, "--model.encoder.latent-dim", "6") == 0
    begin = ["--from", str(tmp_path / "one")]
    assert train(data, tmp_path / "two", *QUICK, *begin) == 0
    assert load_checkpoint(tmp_path / "two" / "checkpoint").latent_dim == 6
    assert weights(tmp_path / "two") != weights(tmp_path / "one")
    written = tomllib.loads((tmp_path / "two" / "config.toml").read_text())
    assert written["model"]["encoder"]["latent_dim"] == 6
    assert written["training"]["warm_start"] == 0  # as it was trained
    capsys.readouterr()
    assert train(data, tmp_path / "3", *QUICK, *begin, "--model.encoder.latent-dim", "7") == 2
    assert "network of the checkpoint" in capsys.readouterr().err
    assert train(data, tmp_path / "3", *QUICK, *begin, "--training.warm-start", "0.3") == 2
    assert "expected no warm start" in capsys.readouterr().err
    other = record(tmp_path / "other", "recorded:sun")
    assert train(other, tmp_path / "3", *QUICK, *begin) == 2
    assert "expected world = 'recorded:lamp', got 'recorded:sun'" in capsys.readouterr().err
    assert not (tmp_path / "3").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--training.step", "5"], "did you mean 'training.steps'"),
        (["--training.steps"], "expected --training.steps with a value"),
        (["--training.steps", "--resume"], "expected --training.steps with a value"),
        (["--training.steps", "many"], "expected training.steps like 1800, got 'many'"),
        (["--training.steps", "2.5"], "steps: expected a whole number, got 2.5"),
        (["--training.multi-step", "perhaps"], "like true, got 'perhaps'"),
        (["--model.action-block", "0"], "expected action_block >= 1, got 0"),
        (["--preset", "defualt"], "did you mean 'default'"),
        (["--form", "x"], "did you mean '--from'"),
        (["--config", "/nowhere.toml"], "expected a TOML file in --config"),
        (["--from", "/nowhere"], "/nowhere"),
    ],
    ids=str,
)
def test_a_mistake_is_named_before_any_work(
    words: list[str], said: str, data: Path, tmp_path: Path, capsys: Output
) -> None:
    assert train(data, tmp_path / "run", *words) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("steps = ", "expected a TOML file"),
        pytest.param("a = " + "[" * 9_000, "expected a TOML file", id="deep"),
        pytest.param("a = 1\n" * 4_000, "24000 characters, more than 20000", id="long"),
        ("[training]\nstepps = 3", "did you mean 'training.steps'"),
        ("training = 3", "unknown setting 'training'"),
        ('preset = "lewn"', "did you mean 'lewm'"),
        ("[training]\nbatch = [1]", "batch: expected a whole number, got [1]"),
    ],
    ids=str,
)
def test_a_mistake_in_the_file_is_named(
    content: str, said: str, data: Path, tmp_path: Path, capsys: Output
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(content)
    assert train(data, tmp_path / "run", "--config", str(path)) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_metrics_without_states_have_no_probes(data: Path, tmp_path: Path) -> None:
    assert train(data, tmp_path / "run", *QUICK) == 0
    (line,) = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(line)["diagnostics"]["probe_r2"] == {}


def test_what_is_said_to_come_next_of_recordings_is_not_refused(
    data: Path, tmp_path: Path, capsys: Output
) -> None:
    assert train(data, tmp_path / "a run", *QUICK) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("next: python run_agent.py evaluate --checkpoint ")
    assert run_agent.main(shlex.split(line)[3:]) == 0


def test_what_comes_next_of_a_world_with_a_name_of_its_own_names_its_place(
    tmp_path: Path, capsys: Output
) -> None:
    assert train(record(tmp_path / "data", "lamp"), tmp_path / "run", *QUICK) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert " control " in line and line.endswith(" --world FILE.py:CLASS")
