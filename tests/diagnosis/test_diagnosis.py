"""Diagnose against worlds whose faults are known because they were planted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import kstest

from agent.diagnosis import (
    Diagnosis,
    Trajectories,
    diagnose,
    gaussianity,
    noise,
    promise,
    rates,
    stationarity,
    thinning,
)
from agent.diagnosis.subjects import Embedded
from agent.errors import UserError

EPISODES, FRAMES, RHO = 30, 30, 0.6
SEEDS = 40


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    coarser(monkeypatch)
    monkeypatch.setattr(gaussianity, "DRAWS", 199)  # a two-sided p-value is 2 of them at least


def coarser(patch: pytest.MonkeyPatch) -> None:
    """p-values in steps of 1/100, from less: as exact, ten times as fast."""
    for module in (gaussianity, noise, promise, rates, stationarity):
        patch.setattr(module, "DRAWS", 99)
    patch.setattr(gaussianity, "SLICES", 4)
    patch.setattr(thinning, "MOST_SAMPLES", 250)


def ou_world(seed: int, episodes: int = EPISODES, rho: object = (RHO, RHO)) -> np.ndarray:
    """The theory's world: (E, T, n), standard normal, correlation ``rho`` (n,) a step."""
    rng = np.random.default_rng(seed)
    keep = np.asarray(rho, dtype=float)
    z = rng.standard_normal((episodes, FRAMES, len(keep)))
    for t in range(1, FRAMES):
        z[:, t] = keep * z[:, t - 1] + np.sqrt(1 - keep**2) * z[:, t]
    return z


def shown(values: np.ndarray, **options: object) -> Trajectories:
    columns = tuple(f"z{i}" for i in range(values.shape[-1]))
    return Trajectories("a toy", values, columns, 0.1, **options)  # type: ignore[arg-type]


def by_question(found: Diagnosis) -> dict[str, object]:
    return {line.question: line for line in found.findings}


@pytest.fixture(scope="module")
def honest_worlds() -> list[Diagnosis]:
    with pytest.MonkeyPatch.context() as patch:
        coarser(patch)
        return [diagnose(shown(ou_world(seed)), seed) for seed in range(SEEDS)]


def test_p_values_are_uniform_where_nothing_is_wrong(honest_worlds: list[Diagnosis]) -> None:
    found: dict[str, list[float]] = {}
    for world in honest_worlds:
        for line in world.findings:
            if line.p is not None:
                found.setdefault(line.question, []).append(line.p)
    assert len(found) == 10
    for question, p_values in found.items():
        assert len(p_values) == SEEDS
        # Ten tests at .002: one in fifty sets of seeds fails by chance, so the set is fixed.
        assert kstest(p_values, "uniform").pvalue > 0.002, question


def test_an_honest_world_holds(honest_worlds: list[Diagnosis]) -> None:
    levels = [line.level for world in honest_worlds for line in world.findings]
    assert levels.count("fails") == 0
    assert levels.count("holds") > 0.93 * len(levels)


def uniform_law(seed: int) -> np.ndarray:
    from scipy.special import ndtr

    return np.asarray(ndtr(ou_world(seed, 100)))


def lopsided(seed: int) -> np.ndarray:
    return np.exp(0.7 * ou_world(seed, 100))


def drifting_mean(seed: int) -> np.ndarray:
    return ou_world(seed, 100) + np.linspace(-1, 1, FRAMES)[:, None] * np.array([1.0, 0.0])


def drifting_spread(seed: int) -> np.ndarray:
    return ou_world(seed, 100) * np.linspace(0.3, 1.5, FRAMES)[:, None]


def recalibrated(seed: int) -> np.ndarray:
    return ou_world(seed, 100) + np.linspace(-1, 1, 100)[:, None, None]


def multiplicative(seed: int) -> np.ndarray:
    """z' = ρz + σ(z)η with σ growing with |z|."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((150, FRAMES, 2))
    for t in range(1, FRAMES):
        z[:, t] = 0.5 * z[:, t - 1] + (0.2 + 0.7 * np.abs(z[:, t - 1])) * z[:, t]
    return z


def strengths(seed: int) -> np.ndarray:
    scale = np.exp(np.random.default_rng(seed + 1).normal(0, 0.7, (100, 1, 1)))
    return ou_world(seed, 100) * scale


def unequal_rates(seed: int) -> np.ndarray:
    return ou_world(seed, 100, rho=(0.95, 0.5))


def stretched(seed: int) -> np.ndarray:
    return ou_world(seed, 100) * np.array([1.0, 2.0])


@pytest.mark.parametrize(
    ("plant", "question"),
    [
        (uniform_law, "Gaussian shape?"),
        (uniform_law, "Tails of a Gaussian?"),
        (lopsided, "Symmetric?"),
        (drifting_mean, "Mean steady within an episode?"),
        (drifting_spread, "Spread steady within an episode?"),
        (recalibrated, "Same law from first to last episode?"),
        (multiplicative, "Noise the same in all states?"),
        (strengths, "Noise the same in all episodes?"),
        (unequal_rates, "One rate for all directions?"),
        (stretched, "Covariance the identity?"),
    ],
)
def test_each_planted_fault_is_found(plant: Callable[[int], np.ndarray], question: str) -> None:
    line = by_question(diagnose(shown(plant(5))))[question]
    assert line.p <= 0.01  # type: ignore[attr-defined]
    assert line.level == "fails"  # type: ignore[attr-defined]
    assert line.do  # type: ignore[attr-defined]


def test_a_dead_direction_is_counted() -> None:
    z = ou_world(5)
    redundant = z.sum(-1, keepdims=True) + 1e-3 * np.random.default_rng(0).normal(
        size=(EPISODES, FRAMES, 1)
    )
    found = diagnose(shown(np.concatenate([z, redundant], -1)))
    assert found.promise.alive == 2
    assert by_question(found)["All directions in use?"].level == "fails"  # type: ignore[attr-defined]


def test_rates_and_ratio_are_those_of_the_world() -> None:
    found = diagnose(shown(ou_world(5, 600, rho=(0.9, 0.6))))
    assert found.rates.rho == pytest.approx([0.9, 0.6], abs=0.01)
    assert found.rates.ratio == pytest.approx(np.log(0.6) / np.log(0.9), rel=0.05)


def test_the_bound_promises_much_of_an_honest_world_and_nothing_of_a_stretched_one() -> None:
    assert diagnose(shown(ou_world(5, 600))).promise.share < 0.01
    assert diagnose(shown(stretched(5))).promise.share > 1


def test_verdicts_do_not_depend_on_units_where_columns_have_their_own() -> None:
    z, factor = ou_world(5), np.array([1e-3, 1e4])
    one, other = (diagnose(shown(x, own_units=True)) for x in (z, z * factor))
    assert [line.level for line in one.findings] == [line.level for line in other.findings]
    assert other.rates.rho == pytest.approx(one.rates.rho)
    assert other.gaussianity.distance == pytest.approx(one.gaussianity.distance)


def test_the_same_seed_gives_the_same_findings() -> None:
    z = ou_world(5)
    assert diagnose(shown(z), 3).findings == diagnose(shown(z), 3).findings


def test_memory_is_the_lag_at_which_an_ou_process_has_forgotten() -> None:
    # .9^15 = .206, .9^16 = .185
    found = diagnose(shown(ou_world(5, 600, rho=(0.9, 0.9)))).sample.memory
    assert found == pytest.approx(16, abs=1)


def test_an_angle_that_goes_round_takes_small_steps() -> None:
    steps = np.random.default_rng(5).normal(0, 0.3, (20, FRAMES, 1))
    angle = (steps.cumsum(1) + np.pi) % (2 * np.pi) - np.pi
    found = shown(np.concatenate([angle, ou_world(5, 20)], -1), periods=(2 * np.pi, np.inf, np.inf))
    assert np.abs(found.following[..., 0] - angle[:, :-1, 0]).max() < np.pi
    assert found.following[..., 1:] == pytest.approx(found.values[:, 1:, 1:])


def with_nan() -> object:
    z = ou_world(5)
    z[3, 4, 1] = np.nan
    return shown(z)


def with_constant() -> object:
    z = ou_world(5)
    z[..., 1] = 0.3
    return shown(z)


@pytest.mark.parametrize(
    ("mistake", "says"),
    [
        (with_nan, "NaN or infinity in z1"),
        (with_constant, "same number in every row of z1"),
        (lambda: shown(ou_world(5, 4)), "at least 8 episodes"),
        (lambda: shown(ou_world(5)[:, :5]), "too few for any test"),
        (lambda: Trajectories("a toy", ou_world(5), ("z0",), 0.1), "x 1 columns"),
    ],
)
def test_mistakes_are_named(mistake: Callable[[], object], says: str) -> None:
    with pytest.raises(UserError, match=says):
        mistake()


def test_a_model_that_foresees_all_without_error_is_equally_sure() -> None:
    """Of pictures that never move, say: nothing is louder than nothing."""
    values = ou_world(0)
    silent = np.zeros((EPISODES, FRAMES - 1, values.shape[-1]))
    data = shown(values)
    lines = by_question(diagnose(data, of_model=Embedded(data, silent, None, None)))
    sure = lines["Model equally sure in all states?"]
    assert "nan" not in repr(sure).lower() and "holds" in repr(sure)
