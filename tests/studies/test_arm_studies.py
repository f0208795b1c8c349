"""The studies of the arm, each in small: jobs, one run, what it concludes, its figure."""

from __future__ import annotations

import json

import numpy as np
import pytest

from agent.reporting.style import png_bytes
from studies import latent_study, reacher_ou_study, reacher_trajectories_study
from studies.figures import draw
from studies.records import key
from studies.tables import TABLES

OU = {"poses": 300, "test_poses": 60, "image_size": 16, "steps": 3, "batch": 16}
MOVING = {
    "episodes": 4, "pool_episodes": 5, "test_episodes": 2, "test_poses": 40, "image_size": 16,
    "steps": 3, "batch": 16,
}  # fmt: skip
STUDIES = {
    "reacher-ou": (reacher_ou_study.STUDY, OU),
    "reacher-trajectories": (reacher_trajectories_study.STUDY, MOVING),
    "latent": (latent_study.STUDY, {}),
}


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("preset", ["quick", "full"])
def test_jobs_are_all_different_and_seeded(name, preset):
    jobs = STUDIES[name][0].jobs(preset)
    assert len({key(job) for job in jobs}) == len(jobs) > 3
    assert all("seed" in job for job in jobs)


@pytest.mark.parametrize("name", ["reacher-ou", "reacher-trajectories"])
def test_a_small_run_measures_finite_numbers_that_repeat(name, tmp_path):
    study, small = STUDIES[name]
    settings = {**study.jobs("quick")[0], **small}
    first = study.measure(settings, tmp_path / "one" / "0")
    json.dumps(first, allow_nan=False)
    assert first.keys().isdisjoint(settings)
    assert study.measure(settings, tmp_path / "two" / "0") == first


@pytest.mark.parametrize("name", STUDIES)
def test_made_up_rows_are_concluded_and_drawn(name):
    study, _ = STUDIES[name]
    rows = [{**job, **_measured(index)} for index, job in enumerate(study.jobs("full"))]
    summary = study.conclude(rows)
    json.dumps(summary, allow_nan=False)
    picture = png_bytes(draw({"study": name, "summary": summary, "rows": rows}))
    assert picture.startswith(b"\x89PNG")
    table = list(TABLES[name]({"summary": summary, "rows": rows}))
    assert len(table) >= 2 + len(summary.get("published_r2", "1234"))
    assert len({line.count("|") for line in table[:4]}) == 1


def _measured(index: int) -> dict[str, object]:
    r2 = 0.5 + 0.4 * np.sin(index) ** 2
    return {
        "r2_raw": r2, "r2_wrapped": r2, "r2_sincos": r2,
        "r2_raw_by_joint": [r2, r2 / 2], "r2_sincos_by_target": [r2, r2, r2, r2 / 2],
        "r2_on_poses_by_joint": [r2, r2], "r2_slowest": {"2": [r2], "16": [r2], "32": [r2]},
        "pair_correlation": 0.9, "orthogonality_error": 0.1,
        "white_step": 0.3, "white_step_of_joints": 0.2,
        "excess_alignment": 0.01, "whitening_error": 0.02,
        "collapsed": False,
        **{name: round(r2, 2) for name in latent_study.MEASURES},
    }  # fmt: skip


def test_the_bars_are_those_promised():
    r2 = {"r2_raw": 0.97, "r2_wrapped": 0.97, "r2_sincos": 0.5}
    jobs = reacher_ou_study.STUDY.jobs("full")
    rows = [{**job, **r2} for job in jobs]
    larger = [row for row in rows if reacher_ou_study.is_larger(row)]
    larger[0]["r2_raw"] = 0.1
    assert len(larger) == 1, "it must not count among the seeds of its correlation"
    bars = reacher_ou_study.STUDY.conclude(rows)["bars"]
    reached = {name: entry["reached"] for name, entry in bars.items()}
    assert reached == {
        "R² at rho 0.3": True,
        "R² at rho 0.5": True,
        "R² at rho 0.7": True,
        "R² at rho 0.8": True,
        "R² at rho 0.9": False,
        "R² at rho 0.95": False,
        "R² at rho 0.99": False,
    }


def test_each_source_of_motion_is_judged_by_the_worst_of_its_own_coordinates():
    study = reacher_trajectories_study.STUDY
    rows = [{**job, **_measured(0)} for job in study.jobs("full")]
    for row in rows:
        is_angle = row["source"] == "gaussian"
        row["r2_raw_by_joint"] = [0.99, 0.985 + 0.001 * row["seed"]] if is_angle else [0, 0]
        row["r2_sincos_by_target"] = [0, 0, 0, 0] if is_angle else [0.99, 0.99, 0.99, 0.97]
        row["r2_on_poses_by_joint"] = [0.9, 0.8]
    summary = study.conclude(rows)
    values = {name: entry["value"] for name, entry in summary["bars"].items()}
    assert values == pytest.approx(
        {
            "R² of the worst of angles, gaussian": 0.986,
            "R² of the worst of sin, cos, ou": 0.97,
            "R² of the worst of sin, cos, uniform": 0.97,
            "R² of the worst of sin, cos, controller": 0.97,
            "R² on posed arms, the published scoring, gaussian": 0.85,
        }
    )
    reached = [entry["reached"] for entry in summary["bars"].values()]
    assert reached == [True, False, False, True, True]
    assert summary["headline"]["gaussian"]["worst"]["n"] == 3
    assert len(summary["by_dimension"]["uniform"]["vicreg"]) == 4
    assert summary["slowest"]["ou"]["8"]["16"] == pytest.approx(0.5)
    assert len(summary["by_stride"]["ou"]) == 7 and len(summary["by_episodes"]["uniform"]) > 3
