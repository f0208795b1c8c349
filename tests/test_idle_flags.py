"""What is asked for and cannot be done, or would do nothing, is refused before anything is made."""

from pathlib import Path

import numpy as np
import pytest

import run_agent
from agent.commands.checkpoints import name_of_result
from agent.config import changed, lewm_tiny, preset, tiny
from agent.data import RolloutWriter
from agent.model.checkpoint import save_checkpoint
from agent.model.world_model import WorldModel
from envs import WorldSpec

Output = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def stateless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of pictures alone, and in ``model`` one for them that was never trained."""
    place, spec = (
        tmp_path_factory.mktemp("idle"),
        WorldSpec("recorded:x", "drawn", (32, 32), 1, 0.1),
    )
    with RolloutWriter(place / "data", spec) as writer:
        for _ in range(8):
            frames = np.random.default_rng(0).integers(0, 255, (20, 32, 32, 3), np.uint8)
            writer.add(frames, np.zeros((19, 1)))
    save_checkpoint(place / "model", WorldModel(tiny().model, spec).eval(), {})
    return place


@pytest.mark.parametrize(
    ("words", "idle"),
    [
        ("baseline --out x --algorithm sac --data no/such", "--data"),
        ("baseline --out x --algorithm sac --steps 10", "--steps"),
        ("baseline --out x --algorithm clone --data no/such --world two-room", "--world"),
        ("evaluate --data no/such --protocol lewm", "--protocol"),
        ("evaluate --data no/such --episodes 3", "--episodes"),
        ("evaluate --data no/such --no-floors", "--no-floors"),
        ("evaluate --data no/such --delay-ticks 1", "--delay-ticks"),
        ("evaluate --controller noop --tick-ms 5 --batch 3", "--batch"),
        ("evaluate --controller random --device nonsense", "--device"),
        ("evaluate --controller noop --no-guard", "--no-guard"),
        ("evaluate --data no/such --no-guard", "--no-guard"),
        ("train --data no/such --out x --training.weight-decay 1", "--training.weight-decay"),
        ("train --data no/such --out x --preset lewm --head.steps 9", "--head.steps"),
        ("train --data no/such --out x --preset vicreg --training.sigreg-directions 9",
         "--training.sigreg-directions"),
        ("train --data no/such --out x --preset lewm --training.matrix-learning-rate 1",
         "--training.matrix-learning-rate"),
        ("train --data no/such --out x --print-config --resume", "--resume"),
        ("train --data no/such --out x --preset tiny --training.warm-start-lags [2]",
         "--training.warm-start-lags"),
        ("train --data no/such --out x --preset tiny --training.settling-frames 6",
         "--training.settling-frames"),
        ("train --data no/such --out x --head.steps 0 --head.batch 7", "--head.batch"),
        ("train --data no/such --out x --training.sigreg-weight 0 --training.sigreg-directions 3",
         "--training.sigreg-directions"),
        ("dataset preview no/such --out x.webm --frames 3", "--frames"),
    ],
)  # fmt: skip
def test_a_flag_that_would_do_nothing_is_refused_by_name(
    words: str, idle: str, capsys: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_agent.main(words.split()) == 2
    assert f"leave {idle} away" in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("flag", ["--rates", "--stride=3"])
def test_without_states_what_is_about_states_is_refused(
    flag: str, stateless: Path, capsys: Output
) -> None:
    words = ["diagnose", "--data", str(stateless / "data"), "--out", str(stateless / "x.html")]
    assert run_agent.main([*words, "--checkpoint", str(stateless / "model"), flag]) == 2
    assert f"leave {flag.partition('=')[0]} away" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("diagnose --data no/such --out /proc/x/page.html", "--out"),
        ("dataset preview no/such --out /proc/x/sheet.png", "--out"),
        ("worlds --sheet /proc/x/sheet.png", "--sheet"),
        ("worlds --sheet sheet.jpg", "--sheet: expected a name in .png"),
        ("control --seconds 0.001 --goal-seed 1", "--seconds of at least a control tick, 0.04"),
        ("demo --out x --sac-env-steps 1", "--sac-env-steps a multiple of 800"),
        ("demo --out x --episodes 0", "--episodes"),
        ("demo --out x --steps 0", "steps >= 1"),
        ("demo --out x --behaviour none", "none"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_work(
    words: str, said: str, capsys: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_agent.main(words.split()) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.iterdir())


def test_a_result_is_named_after_what_was_loaded(tmp_path: Path) -> None:
    spec = WorldSpec("recorded:x", "drawn", (32, 32), 1, 0.1)
    for name, config, regulariser in (
        ("ours", tiny(), "sigreg"), ("vicreg", tiny(), "vicreg"),
        ("lewm", lewm_tiny(), "sigreg-per-step"),
    ):  # fmt: skip
        model = WorldModel(config.model, spec).eval()
        save_checkpoint(tmp_path / name, model, {"training": {"regulariser": regulariser}})
    assert name_of_result("world-model", tmp_path / "ours") == "world-model"
    assert name_of_result("world-model", tmp_path / "vicreg") == "world-model-vicreg"
    assert name_of_result("direct", tmp_path / "vicreg") == "direct-vicreg"
    assert name_of_result("lewm", tmp_path / "lewm") == "lewm"
    assert name_of_result("world-model", tmp_path / "lewm") == "world-model-lewm"
    assert name_of_result("lewm", tmp_path / "ours") == "lewm-sigreg"


def test_the_steps_of_the_head_follow_those_of_the_training() -> None:
    base = preset("default")
    assert changed(base, {"training.steps": 18}).head.steps == base.head.steps // 100
    assert changed(base, {"training.steps": 35, "head.steps": 7}).head.steps == 7
    assert changed(base, {}) == base
