"""``diagnose`` from data set to page, on data and a model of no worth."""

from __future__ import annotations

import html.parser
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import run_agent
from agent.config import tiny
from agent.data import RolloutStore, RolloutWriter
from agent.diagnosis import diagnose, gaussianity, noise, promise, rates, stationarity
from agent.diagnosis.subjects import (
    _cut_alike,
    _wrapped,
    embeddings,
    spread_episodes,
    world_states,
)
from agent.errors import UserError
from agent.model.checkpoint import save_checkpoint
from agent.model.world_model import WorldModel
from envs import Column, WorldSpec, make_world
from studies.tables.diagnosis import read_record

Output = pytest.CaptureFixture[str]
SPEC = make_world("reacher").spec
SIZE = ["--episodes", "12", "--episode-steps", "40", "--workers", "1"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set, and a model that was never trained."""
    place = tmp_path_factory.mktemp("diagnose")
    assert run_agent.main(["collect", "--out", str(place / "data"), *SIZE]) == 0
    save_checkpoint(place / "model", WorldModel(tiny().model, SPEC).eval(), {})
    return place


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (gaussianity, noise, promise, rates, stationarity):
        monkeypatch.setattr(module, "DRAWS", 19)


class Pictures(html.parser.HTMLParser):
    """Counts images and what is fetched from elsewhere."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.images = self.foreign = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        source = dict(attrs).get("src") or "data:"
        self.images += tag == "img"
        self.foreign += not source.startswith("data:")


def test_states_alone(place: Path, capsys: Output) -> None:
    page = place / "states.html"
    assert run_agent.main(["diagnose", "--data", str(place / "data"), "--out", str(page)]) == 0
    shown = capsys.readouterr().out
    assert "the world's coordinates: 12 episodes of 21 rows every 0.08 s" in shown
    assert "embeddings:" not in shown
    found = Pictures(page.read_text())
    assert (found.images, found.foreign) == (4, 0)


def test_states_and_embeddings(place: Path, capsys: Output) -> None:
    page = place / "both.html"
    words = ["diagnose", "--data", str(place / "data"), "--checkpoint", str(place / "model")]
    words += ["--out", str(page), "--json", str(place / "both.json"), "--episodes", "10"]
    assert run_agent.main([*words, "--rates"]) == 0
    kept = read_record(place / "both.json")
    assert [one["name"] for one in kept["subjects"]] == ["the world's coordinates", "embeddings"]
    assert all(line["effect"] for one in kept["subjects"] for line in one["findings"])
    assert kept["command"].endswith("--episodes 10 --rates") and kept["data"]["seed"] == 0
    shown = capsys.readouterr().out
    assert "embeddings: 10 episodes of 21 rows" in shown
    found = Pictures(page.read_text())
    assert (found.images, found.foreign) == (8, 0)


def test_residuals_are_those_of_one_step_predictions(place: Path) -> None:
    """A model that predicts no change misses by the change."""
    store = RolloutStore.open(place / "data")
    model = WorldModel(tiny().model, SPEC).eval()  # its predictor starts at "nothing changes"
    found = embeddings(model, store, spread_episodes(store, 8))
    changes = np.diff(found.trajectories.values, axis=1)[:, model.context - 1 :]
    assert found.model_residuals == pytest.approx(changes, abs=1e-5)


def test_an_episode_too_short_for_a_prediction_is_left_out(tmp_path: Path) -> None:
    spec, rng = WorldSpec("recorded:odd", "drawn", (16, 16), 2, 0.04), np.random.default_rng(0)
    with RolloutWriter(tmp_path / "data", spec) as writer:
        for steps in (1, 6, 3, *[30] * 8):
            frames = rng.integers(0, 256, (steps + 1, 16, 16, 3), dtype=np.uint8)
            writer.add(frames, rng.uniform(-1, 1, (steps, 2)))
    store, model = RolloutStore.open(tmp_path / "data"), WorldModel(tiny().model, spec).eval()
    assert len(embeddings(model, store, list(range(11))).trajectories.values) == 8
    with pytest.raises(UserError, match="episodes of more than 6 env steps, got none"):
        embeddings(model, store, [0, 2])


def test_few_long_episodes_leave_the_many_short_ones_their_say() -> None:
    rows = [np.zeros((500, 2))] * 3 + [np.zeros((21, 2))] * 40
    assert _cut_alike(rows).shape == (43, 21, 2)
    assert _cut_alike(rows[:5]).shape == (5, 21, 2)  # too few for a test, however they are cut


def test_episodes_are_not_cut_below_what_a_test_takes() -> None:
    """24 of 7 rows would be more rows than 18 of 8, of which eight are enough."""
    rows = [np.zeros((7, 2))] * 6 + [np.zeros((8, 2))] * 18
    assert _cut_alike(rows).shape == (18, 8, 2)
    assert _cut_alike(rows[:9]).shape == (9, 7, 2)


def test_states_are_those_on_disk(place: Path) -> None:
    store = RolloutStore.open(place / "data")
    found = world_states(store, [0, 3, 4, 5, 6, 7, 8, 11], 4, every=True)
    episodes = store.load()
    row = episodes.rows(3).start + 8  # third row of the second episode chosen
    assert found.values[1, 2, 2:] == pytest.approx(episodes.state[row, 2:])
    assert np.sin(found.values[1, 2, :2]) == pytest.approx(np.sin(episodes.state[row, :2]))
    assert np.ptp(found.values[..., 0]) <= 2 * np.pi


def test_a_swing_about_a_half_turn_is_not_cut_in_two() -> None:
    rng = np.random.default_rng(0)
    swing = 0.3 * rng.standard_normal((5, 40, 1))
    here = _wrapped(swing, (2 * np.pi,))
    there = _wrapped(np.mod(swing + np.pi, 2 * np.pi), (2 * np.pi,))
    np.testing.assert_allclose(here, swing)
    np.testing.assert_allclose(there - there.mean(), swing - swing.mean(), atol=1e-9)
    np.testing.assert_array_equal(_wrapped(9 + swing, (np.inf,)), 9 + swing)


def test_what_never_changes_is_left_out_and_said(tmp_path: Path) -> None:
    """A constant has no Gaussian shape and no rate; what moves beside it is still diagnosed."""
    rng, columns = np.random.default_rng(0), (Column("pole"), Column("bolt"), Column("cart"))
    spec = WorldSpec("recorded:cart", "drawn", (16, 16), 1, 0.1, columns)
    with RolloutWriter(tmp_path / "data", spec) as writer:
        for _ in range(8):
            states = rng.standard_normal((20, 3)) * [1, 0, 2] + [0, 0.7, 5]
            writer.add(np.zeros((20, 16, 16, 3), np.uint8), rng.uniform(-1, 1, (19, 1)), states)
    found = world_states(RolloutStore.open(tmp_path / "data"), list(range(8)), 1)
    assert found is not None and found.columns == ("pole", "cart") and found.left_out == ("bolt",)
    assert diagnose(found).about.endswith("left out, as it never changes: bolt")


def mistakes() -> Iterator[tuple[list[str], str]]:
    yield ["--episodes", "7"], "expected --episodes of at least 8, got 7"
    yield ["--stride", "0"], "stride"
    yield (
        ["--stride", "9"],
        "stride of at most 5 env steps, which leaves 8 rows of an episode of 41",
    )
    yield ["--stride", "500"], "an episode of 41 frames, got 500"
    yield ["--out", "page.txt"], ".html"
    yield ["--checkpoint", "nowhere"], "expected a checkpoint"


@pytest.mark.parametrize(("words", "says"), list(mistakes()), ids=str)
def test_mistakes_end_in_2(words: list[str], says: str, place: Path, capsys: Output) -> None:
    assert run_agent.main(["diagnose", "--data", str(place / "data"), *words]) == 2
    assert says in " ".join(capsys.readouterr().err.split())


def test_a_model_of_another_world_is_refused(place: Path, capsys: Output, tmp_path: Path) -> None:
    from dataclasses import replace

    other = WorldModel(tiny().model, replace(SPEC, look="dmc")).eval()
    save_checkpoint(tmp_path / "model", other, {})
    words = ["--data", str(place / "data"), "--checkpoint", str(tmp_path / "model")]
    assert run_agent.main(["diagnose", *words]) == 2
    assert "'dmc'" in capsys.readouterr().err
