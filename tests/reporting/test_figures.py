"""Figures show the numbers they were given, and what a known world looks like is known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from agent.errors import UserError
from agent.files.ours import is_ours, signed
from agent.reporting.bars import results_bars
from agent.reporting.curves import learning_curves
from agent.reporting.embedding import BATCH_FRAMES, embed
from agent.reporting.imagination import draw_strip, imagine
from agent.reporting.landscape import draw_landscape, drawn_columns, order_agreement, survey
from agent.reporting.style import png_bytes, save_png
from envs import SpecError

PNG_START = b"\x89PNG\r\n\x1a\n"


def titled(figure, start):
    (axes,) = [a for a in figure.axes if a.get_title(loc="left").startswith(start)]
    return axes


def line(axes, label):
    (found,) = [one for one in axes.lines if str(one.get_label()).startswith(label)]
    return found.get_xdata(), found.get_ydata()


def test_learning_curves_draw_every_loss_on_a_log_scale(metrics):
    axes = titled(learning_curves(metrics), "Losses")
    assert axes.get_yscale() == "log"
    steps, total = line(axes, "total")
    assert list(steps) == list(range(10, 101, 10))
    assert list(total) == [report["loss"] for report in metrics]
    assert list(line(axes, "prediction, one step")[1]) == [r["one_step"] for r in metrics]


def test_learning_curves_draw_diagnostics_where_there_are_any(metrics):
    figure = learning_curves(metrics)
    steps, wrist = line(titled(figure, "What a linear probe"), "sin wrist")
    assert list(steps) == [50, 100] and wrist == pytest.approx([0.4, 0.9])
    horizon, error = line(titled(figure, "Prediction error"), "step 100")
    assert list(horizon) == list(range(1, 11)) and error == pytest.approx(horizon / 100)
    assert list(titled(figure, "Effective rank").lines[0].get_ydata()) == [5, 10]
    assert list(line(titled(figure, "SIGReg"), "frames far apart")[1]) == [1.5, 1.5]


def test_learning_curves_of_a_young_or_odd_run_are_drawn_too(metrics):
    metrics[0]["loss"] = None  # a number JSON could not hold
    metrics[4]["diagnostics"]["effective_rank"] = None
    for some in (metrics[:1], metrics[:3], metrics):
        assert png_bytes(learning_curves(some)).startswith(PNG_START)


def test_a_number_that_never_varied_in_imagination_is_a_gap(metrics):
    for report in metrics:
        if report.get("diagnostics"):
            report["diagnostics"]["open_loop_probe_r2"].popitem()
    assert png_bytes(learning_curves(metrics)).startswith(PNG_START)


def test_bars_are_as_long_as_the_rates_and_whiskers_as_the_intervals(results):
    figure = results_bars(results)
    lewm, anywhere = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["lewm", "anywhere"]
    assert [bar.get_width() for bar in lewm.patches] == pytest.approx([97.62, 84.21])
    assert [bar.get_width() for bar in anywhere.patches] == pytest.approx([76.51, 84.21])
    assert list(lewm.lines[0].get_xdata()) == pytest.approx([95.13, 98.94])
    assert {text.get_text() for text in lewm.texts} == {"97.6", "84.2"}
    assert [label.get_text() for label in lewm.get_yticklabels()] == ["world-model", "noop"]


def test_bars_take_names_as_text_not_as_formulas(results):
    results[0]["controller"] = results[0]["protocol"] = r"$\frac{1}$ $x"
    assert png_bytes(results_bars(results)).startswith(PNG_START)


@pytest.mark.parametrize("draw", [learning_curves, results_bars])
def test_nothing_to_draw_is_said(draw):
    with pytest.raises(UserError, match="got none"):
        draw([])


def test_a_model_that_knows_the_world_imagines_what_happened(toy_model, toy_episodes):
    imagined = imagine(toy_model, toy_episodes, library=[0, 1, 2], episode=1, start=7, steps=16)
    assert np.array_equal(imagined.nearest, imagined.real)
    assert not imagined.error.any()
    rows = 61 + 7 + np.arange(0, 33, 4)  # every second model step of two env steps
    assert np.array_equal(imagined.real, toy_episodes.pixels[rows])
    assert imagined.times_s == pytest.approx(0.16 * np.arange(9))


def test_a_model_that_foresees_no_change_imagines_the_last_frame_for_ever(toy_model, toy_episodes):
    toy_model.predictor = type(toy_model.predictor)()
    toy_model.predictor.forward = lambda embeddings, actions: embeddings[..., -1, :]
    imagined = imagine(toy_model, toy_episodes, library=[1], episode=1, start=4, steps=8)
    assert (imagined.nearest == imagined.real[0]).all()
    assert (np.diff(imagined.error) > 0).all()


def test_imagined_frames_come_from_the_library_by_the_goal_metric(toy_model, toy_episodes):
    toy_model.goal_metric = torch.tensor([[1.0, 0.0], [0.0, 0.0]])  # red alone counts
    imagined = imagine(toy_model, toy_episodes, library=[0], episode=1, start=4, steps=4)
    red = toy_episodes.pixels[:61, 0, 0, 0].astype(int)
    for real, nearest in zip(imagined.real, imagined.nearest, strict=True):
        wanted, found = int(real[0, 0, 0]), int(nearest[0, 0, 0])
        assert abs(found - wanted) == np.abs(red - wanted).min()


def test_the_strip_shows_real_above_imagined(toy_model, toy_episodes):
    figure = draw_strip(imagine(toy_model, toy_episodes, [0, 1], 2, start=10, steps=8))
    assert len(figure.axes) == 2 * 5
    above, below = figure.axes[:5], figure.axes[5:]
    assert [axes.get_title() for axes in above[:2]] == ["last seen", "0.16 s"]
    shown = np.stack([axes.images[0].get_array() for axes in above])
    assert np.array_equal(shown, toy_episodes.pixels[122 + 10 + np.arange(0, 17, 4)])
    assert all(axes.get_xlabel().endswith("rad off") for axes in below)


@pytest.mark.parametrize(
    ("start", "steps", "why"),
    [(3, 8, "env steps -1 to 19"), (50, 8, "46 to 66")],
)
def test_what_lies_outside_a_recording_cannot_be_imagined(
    toy_model, toy_episodes, start, steps, why
):
    with pytest.raises(UserError, match=why):
        imagine(toy_model, toy_episodes, [0], 0, start, steps)
    with pytest.raises(UserError, match="training episode"):
        imagine(toy_model, toy_episodes, [], 0, 10, 8)


def test_the_landscape_is_the_distance_of_embeddings(toy_model, colour_world):
    toy_model.goal_metric = torch.tensor([[3.0, 0.0], [0.0, 0.0]])  # the planner sees red only
    scene = survey(toy_model, colour_world, np.array([math.pi / 4, 0.0]), grid=(9, 5))
    hue, depth = np.meshgrid(scene.x, scene.y)
    assert scene.plain == pytest.approx(40 * np.hypot(hue - math.pi / 4, depth), abs=1.5)
    assert scene.planner == pytest.approx(120 * np.abs(hue - math.pi / 4), abs=3.1)
    assert np.unravel_index(scene.plain.argmin(), scene.plain.shape) == (2, 5)
    assert scene.true[2, 0] == pytest.approx(math.pi * 3 / 4 / 0.05)  # the short way round
    assert order_agreement(scene, scene.true) == pytest.approx(1.0)
    assert order_agreement(scene, -scene.true) == pytest.approx(-1.0)


def test_the_landscape_marks_the_goal_on_both_maps(toy_model, colour_world):
    figure = draw_landscape(survey(toy_model, colour_world, np.array([0.5, -1.2]), grid=(7, 5)))
    for start in ("Distance the planner", "Plain embedding"):
        axes = titled(figure, start)
        assert axes.collections[0].get_array().shape == (5, 7)
        assert [(*one.get_xdata(), *one.get_ydata()) for one in axes.lines] == [(0.5, -1.2)] * 2
        assert axes.get_xlim() == pytest.approx((-math.pi, math.pi))
    assert png_bytes(figure).startswith(PNG_START)


def test_a_map_of_another_world_is_refused(toy_model, colour_world):
    colour_world.spec = replace(colour_world.spec, look="neon")
    with pytest.raises(SpecError, match="neon"):
        survey(toy_model, colour_world, np.zeros(2))


def test_a_world_without_two_ranged_numbers_has_no_map(colour_world):
    spec = colour_world.spec
    assert drawn_columns(spec) == (0, 1)
    assert drawn_columns(replace(spec, state=spec.state[:1])) is None


def test_embedding_in_batches_changes_nothing(toy_model):
    frames = np.random.default_rng(1).integers(0, 256, (BATCH_FRAMES + 3, 16, 16, 3), np.uint8)
    assert torch.equal(embed(toy_model, frames), toy_model.encode(torch.from_numpy(frames)))
    assert embed(toy_model, []).shape == (0, 2)


def test_saving_a_figure_makes_its_directory_and_the_same_bytes(metrics, tmp_path):
    path = save_png(learning_curves(metrics), tmp_path / "new" / "curves.png")
    assert path.read_bytes() == signed(png_bytes(learning_curves(metrics)), ".png")
    assert is_ours(path, ".png")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot write"):
        save_png(learning_curves(metrics), tmp_path / "file" / "curves.png")
