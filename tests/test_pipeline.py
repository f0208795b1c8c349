"""The whole path on a tiny preset: collect, verify, train, resume, baseline, evaluate, control."""

import json
from pathlib import Path

import pytest

import run_agent

Output = pytest.CaptureFixture[str]
TRAIN = ["train", "--preset", "tiny", "--steps", "20", "--threads", "1"]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set and a world model that knows next to nothing."""
    place = tmp_path_factory.mktemp("pipeline")
    data, run = str(place / "data"), str(place / "run")
    size = ["--episodes", "6", "--episode-steps", "60", "--episodes-per-shard", "3"]
    assert run_agent.main(["collect", "--out", data, *size, "--workers", "2"]) == 0
    assert run_agent.main([*TRAIN, "--data", data, "--out", run]) == 0
    return place


def test_the_data_set_can_be_looked_at(workplace: Path, capsys: Output) -> None:
    data = str(workplace / "data")
    for action in ("inspect", "verify"):
        assert run_agent.main(["dataset", action, data]) == 0
        assert str(6 * 61) in capsys.readouterr().out
    sheet = workplace / "sheet.png"
    assert run_agent.main(["dataset", "preview", data, "--out", str(sheet)]) == 0
    assert sheet.stat().st_size > 0


def test_training_leaves_model_metrics_and_curves(workplace: Path) -> None:
    run = workplace / "run"
    assert (run / "checkpoint" / "model.safetensors").exists()
    assert (run / "curves.png").read_bytes().startswith(b"\x89PNG")
    last = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    assert last["step"] == last["total_steps"] == 20


def test_a_finished_run_is_not_overwritten(workplace: Path, capsys: Output) -> None:
    paths = ["--data", str(workplace / "data"), "--out", str(workplace / "run")]
    weights = workplace / "run" / "checkpoint" / "model.safetensors"
    before = weights.read_bytes()
    assert run_agent.main([*TRAIN, *paths]) == 2
    assert "--resume" in capsys.readouterr().err
    assert run_agent.main([*TRAIN, *paths, "--resume"]) == 0
    assert weights.read_bytes() == before


def test_the_model_is_evaluated_beside_the_floors(workplace: Path, capsys: Output) -> None:
    result = workplace / "result.json"
    words = ["evaluate", "--checkpoint", str(workplace / "run"), "--episodes", "3"]
    assert run_agent.main([*words, "--json", str(result)]) == 0
    found = json.loads(result.read_text())
    assert len(found["per_episode"]) == found["episodes"] == 3
    assert set(found["floors"]) == {"random", "noop"}
    assert len(found["checkpoint_sha256"]) == 64
    assert found["decision_ms"]["p50"] > 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("world-model", "random", "noop"))


def test_the_model_is_evaluated_on_recordings_alone(workplace: Path, capsys: Output) -> None:
    result = workplace / "offline.json"
    words = ["evaluate", "--checkpoint", str(workplace / "run"), "--data", str(workplace / "data")]
    assert run_agent.main([*words, "--json", str(result)]) == 0
    assert len(json.loads(result.read_text())["open_loop_error"]) == 8
    assert "true future nearest" in capsys.readouterr().out


@pytest.mark.parametrize(
    "late", [["--tick-ms", "40"], ["--delay-ticks", "2"], ["--planner", "cem"]]
)
def test_how_to_act_is_part_of_the_command_that_is_told(
    workplace: Path, late: list[str], capsys: Output
) -> None:
    result = workplace / "how.json"
    words = ["evaluate", "--checkpoint", str(workplace / "run"), "--episodes", "1", "--no-floors"]
    assert run_agent.main([*words, *late, "--json", str(result)]) == 0
    found = json.loads(result.read_text())
    assert all(said in found["command"] for said in (late[0], "--protocol lewm", "--episodes 1"))
    assert ("deadline" in found) == (late[0] == "--tick-ms")


def test_frames_of_another_look_are_refused(workplace: Path, capsys: Output) -> None:
    words = ["evaluate", "--checkpoint", str(workplace / "run"), "--episodes", "1"]
    assert run_agent.main([*words, "--look", "dmc"]) == 2
    assert "look = 'fast', got 'dmc'" in capsys.readouterr().err
    assert run_agent.main([*words, "--world", "two-room"]) == 2
    assert "world = 'reacher', got 'two-room'" in capsys.readouterr().err


def test_a_checkpoint_moves_the_world_for_more_recordings(workplace: Path, tmp_path: Path) -> None:
    words = ["collect", "--out", str(tmp_path / "more"), "--behaviour", str(workplace / "run")]
    size = ["--episodes", "1", "--episode-steps", "6", "--workers", "1"]
    assert run_agent.main([*words, *size]) == 0


def test_control_films_the_way_to_a_pose_and_to_a_picture(workplace: Path, capsys: Output) -> None:
    import cv2

    film, picture = workplace / "film.webm", workplace / "goal.png"
    words = ["control", "--checkpoint", str(workplace / "run"), "--seconds", "0.4"]
    pose = ["--goal-state", "0.5", "-1.2", "--save-goal", str(picture), "--video", str(film)]
    assert run_agent.main([*words, *pose]) == 0
    reader = cv2.VideoCapture(str(film))
    frames = iter(lambda: reader.read()[0], False)
    assert sum(frames) == 11
    assert "final error" in capsys.readouterr().out
    late = ["--goal-image", str(picture), "--delay-ticks", "2", "--planner", "cem"]
    assert run_agent.main([*words, *late]) == 0
    assert "final error" not in capsys.readouterr().out  # unknown, where only a picture is


def test_a_baseline_is_trained_and_evaluated(workplace: Path, capsys: Output) -> None:
    run = str(workplace / "sac")
    assert run_agent.main(["baseline", "--out", run, "--env-steps", "800"]) == 0
    words = ["evaluate", "--controller", "sac", "--checkpoint", run, "--episodes", "2"]
    assert run_agent.main([*words, "--no-floors"]) == 0
    assert "sac" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["evaluate", "--controller", "sac"], ["evaluate"], ["control"]])
def test_a_damaged_checkpoint_ends_in_3(words: list[str], workplace: Path, capsys: Output) -> None:
    damaged = workplace / "damaged"
    damaged.mkdir(exist_ok=True)
    for path in (workplace / "run" / "checkpoint").iterdir():
        (damaged / path.name).write_bytes(path.read_bytes())
    with (damaged / "model.safetensors").open("r+b") as weights:
        weights.seek(-1, 2)
        weights.write(b"\x55")
    assert run_agent.main([*words, "--checkpoint", str(damaged)]) == 3
    assert "model.safetensors" in capsys.readouterr().err


def test_damaged_data_ends_in_3(workplace: Path, tmp_path: Path, capsys: Output) -> None:
    damaged = tmp_path / "data"
    for path in sorted((workplace / "data").rglob("*")):
        target = damaged / path.relative_to(workplace / "data")
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file():
            target.write_bytes(path.read_bytes())
    shard = damaged / "shards" / "shard-00001.h5"
    shard.write_bytes(shard.read_bytes()[:-1] + b"\x55")
    assert run_agent.main(["dataset", "verify", str(damaged)]) == 3
    assert "shard-00001.h5" in capsys.readouterr().err
    assert run_agent.main([*TRAIN, "--data", str(damaged), "--out", str(tmp_path / "run")]) == 3


def test_the_doctor_finds_a_machine_that_can_render(capsys: Output) -> None:
    assert run_agent.main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "frames/s" in shown
    assert "problem" not in shown
    assert "extra rl" in shown


def test_the_doctor_names_what_is_wrong(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    import agent.commands.checks as checks

    monkeypatch.setattr(checks, "EXACT_PAIR", {"dm-control": "1.0.50", "mujoco": "4.0.0"})
    assert run_agent.main(["doctor"]) == 4
    said = capsys.readouterr()
    assert "pip install dm-control==1.0.50 mujoco==4.0.0" in said.out
    assert "simulator pair" in said.err
