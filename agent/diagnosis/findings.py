"""What each check says about some data, in a roboticist's words.

Thresholds are judgements, stated here once: where a deviation is too small to matter, where it
begins to, and where the theory's guarantee is gone. The rate ratio of 2 alone is the theory's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.diagnosis.circle_findings import of_embedding, of_world
from agent.diagnosis.gaussianity import Gaussianity
from agent.diagnosis.noise import Noise
from agent.diagnosis.promise import Promise
from agent.diagnosis.rates import PREDICTED_FAILURE, Rates
from agent.diagnosis.readings import of_readings
from agent.diagnosis.shapes import Shapes
from agent.diagnosis.stationarity import Stationarity
from agent.diagnosis.trajectories import DEAD_SHARE
from agent.diagnosis.verdict import Finding, graded
from agent.training.geometry import Geometry

if TYPE_CHECKING:
    from agent.diagnosis.diagnosis import Diagnosis

BY_REGULARISER = (
    "Look at the world's own coordinates first, where they were recorded: an embedding that is "
    "linear in them looks like them. If they are Gaussian, train with a larger "
    "--training.sigreg-weight."
)


def findings(found: Diagnosis) -> list[Finding]:
    """All lines about one subject, in reading order."""
    lines = [
        *_gaussian(found.gaussianity, found.data.own_units),
        *_stationary(found.stationarity),
    ]
    lines += _noise(found.noise, "the row before")
    if found.model_noise is not None:
        lines += _model_noise(found.model_noise)
    world = found.shapes if found.data.own_units else None
    lines += _rates(found.rates, world)
    lines += _size(found.promise, found.data.own_units)
    if found.readings is not None:
        lines.append(of_readings(found.readings))
    if found.geometry is not None:
        lines.append(_downhill(found.geometry))
    if world is None:
        return [*lines, *of_embedding(found.circles, len(found.data.columns), found.shapes)]
    return [*lines, *of_world(world)]


def _gaussian(found: Gaussianity, own_units: bool) -> Iterator[Finding]:
    skewness, tails = (float(abs(x).max()) for x in (found.skewness, found.excess_kurtosis))
    worst = float(found.excess_kurtosis[abs(found.excess_kurtosis).argmax()])
    yield Finding(
        "Gaussian shape?", "sliced Epps-Pulley",
        graded(found.distance, 0.04, 0.10, found.p_shape),
        f"distance {found.distance:.3f} (uniform law: 0.13)", found.p_shape,
        "Only Gaussian variables are recovered linearly; others come out bent.",
        "Move the world so that its coordinates follow a smooth Gaussian random walk pulled back "
        "to the middle (a behaviour of your own, collect --behaviour FILE.py:NAME), instead of "
        "random actions."
        if own_units else BY_REGULARISER,
    )  # fmt: skip
    yield Finding(
        "Symmetric?", "Mardia skewness",
        graded(skewness, 0.25, 0.75, found.p_skewness),
        f"skewness {skewness:.2f} at worst (exponential: 2)", found.p_skewness,
        "A lopsided variable leans on one side of its range.",
        "Look for a stop, gravity or a start on one side; centre the motion."
        if own_units else BY_REGULARISER,
    )  # fmt: skip
    yield Finding(
        "Tails of a Gaussian?", "Mardia kurtosis",
        graded(tails, 0.5, 1.0, found.p_kurtosis),
        f"excess kurtosis {worst:+.2f} at worst (uniform: -1.2, Laplace: +3)", found.p_kurtosis,
        "Mostly quiet with rare bursts, as a mixture of gentle and violent episodes."
        if worst > 0 else "Bounded, as an angle that goes round or a coordinate with stops.",
        "For the theory give all episodes one strength (control learns more from different ones)."
        if worst > 0 else
        "Keep the motion well inside the range, and within one turn, by a behaviour of your own: "
        "collect --behaviour FILE.py:NAME.",
    )  # fmt: skip


def _stationary(found: Stationarity) -> Iterator[Finding]:
    yield Finding(
        "Mean steady within an episode?", "sign flips, first against last quarter",
        graded(found.mean_shift, 0.2, 0.5, found.p_mean),
        f"shifts by {found.mean_shift:.2f} standard deviations", found.p_mean,
        "A drifting mean makes time itself look like a variable of the world.",
        "Drop the first seconds of each episode, or start where the motion usually is.",
    )  # fmt: skip
    yield Finding(
        "Spread steady within an episode?", "sign flips, first against last quarter",
        graded(found.spread_ratio - 1, 0.15, 0.5, found.p_spread),
        f"changes {found.spread_ratio:.2f}-fold", found.p_spread,
        "Episodes begin quieter or narrower than they end, or the other way round.",
        "Start episodes from states of earlier motion instead of rest, or drop their beginning.",
    )  # fmt: skip
    trend = max(found.trend_shift / 0.5, (found.trend_ratio - 1) / 0.5)
    yield Finding(
        "Same law from first to last episode?", "permuted episodes, trend",
        graded(trend, 0.4, 1.0, found.p_trend),
        f"mean {found.trend_shift:.2f} standard deviations, spread {found.trend_ratio:.2f}-fold",
        found.p_trend,
        "Something changed while recording: calibration, light, temperature, policy.",
        "Record again in shuffled order, or split the data where it changed.",
    )  # fmt: skip


def _noise(found: Noise, given: str) -> Iterator[Finding]:
    yield Finding(
        "Noise the same in all states?", "White, on a linear prediction",
        graded(found.ratio - 1, 0.25, 1.0, found.p_state),
        f"{found.ratio:.2f} times larger in the loudest third", found.p_state,
        f"What {given} does not tell (actions, hidden velocity, chance) is larger in some states, "
        "or the state is pulled back along a curve. The theory wants noise that adds.",
        "Look at which states are loud: contacts, stops, action scaled with the state. Move less "
        "fast, or shorten the step between frames.",
    )  # fmt: skip
    yield Finding(
        "Noise the same in all episodes?", "rank correlation of halves, permuted",
        graded(found.episode_ratio - 1, 0.25, 1.0, found.p_episode),
        f"{found.episode_ratio:.2f} times larger in the loudest third", found.p_episode,
        "Each episode has a strength of its own: a mixture of worlds, not one.",
        "Draw actions of one strength for all episodes, or train on one strength at a time. A "
        "controller may still profit from the mixture; the theory does not cover it.",
    )  # fmt: skip


def _model_noise(found: Noise) -> Iterator[Finding]:
    yield Finding(
        "Model equally sure in all states?", "White, on the model's prediction",
        graded(found.ratio - 1, 0.25, 1.0, found.p_state),
        f"errors {found.ratio:.2f} times larger in the loudest third", found.p_state,
        "Where the model, which knows the actions, errs more than elsewhere, plans are worth less.",
        "Record more data in those states, or train longer; plan through quiet states.",
    )  # fmt: skip


def _rates(found: Rates, world: Shapes | None) -> Iterator[Finding]:
    ratio, limit = found.ratio, PREDICTED_FAILURE
    if world is not None:
        ratio, limit = world.ratio, world.limit
    embedding = (
        "Directions of the embedding are of different speed: some are harmonics (squares, "
        "products) of the slow ones. Expected wherever the embedding is wider than the world."
    )
    state = (
        f"Past a ratio of {limit:g} the second feature of the slowest variable (its square, a "
        "circle's cos 2θ) outlasts the fastest variable; alignment prefers it, and that is lost."
    )
    yield Finding(
        "One rate for all directions?", "eigenvalues of the lag correlation",
        graded(ratio - 1, 0.25, limit - 1, found.p_equal),
        f"fastest {ratio:.3g} times the slowest (limit {limit:g}); a step keeps "
        f"{found.rho.min():.3f} to {found.rho.max():.3f}",
        found.p_equal,
        embedding if world is None else state,
        "Give all coordinates the same time constant (slower actions for what is light), or learn "
        "slow and fast variables (places and rates) in separate embeddings."
        if world is not None else
        "Train with --model.encoder.latent-dim nearer to the number of the world's variables, or "
        "read variables off with a metric that weights slow directions.",
    )  # fmt: skip


def _size(found: Promise, own_units: bool) -> Iterator[Finding]:
    dimension, dead = len(found.spectrum), len(found.spectrum) - found.alive
    yield Finding(
        "All directions in use?", f"covariance below {DEAD_SHARE:.0%} of the widest",
        "fails" if dead else graded(1 - found.effective_rank / dimension, 0.2, 0.6),
        f"{dead} of {dimension} dead, effective rank {found.effective_rank:.1f}", None,
        "Dead directions carry nothing: two columns say the same, or the encoder uses few.",
        "Remove a redundant sensor." if own_units else
        "Train with --model.encoder.latent-dim near the effective rank, or with a larger "
        "--training.sigreg-weight.",
    )  # fmt: skip
    if own_units:
        return
    low, high = found.scale
    times = f"{found.share:.2f} times" if found.share < 100 else "over 100 times"
    yield Finding(
        "Covariance the identity?", "‖Cov - I‖ against its law",
        graded(found.epsilon / dimension**0.5, 0.1, 0.5, found.p_identity),
        f"whitening error {found.epsilon:.2f}; spreads {low:.2f} to {high:.2f}, wanted 1",
        found.p_identity,
        "Distances in the embedding are stretched: a planner overvalues wide directions.",
        "Whiten before measuring distances (our goal metric does), or train with a larger "
        "--training.sigreg-weight.",
    )  # fmt: skip
    yield Finding(
        "Does the theorem promise anything?", "bound D + (ε + D)², at best",
        graded(found.share, 0.05, 1.0),
        f"bound {times} the error of unrelated variables "
        f"(δ {found.delta:.2f}, ε {found.epsilon:.2f}, D {found.d:.2f})", None,
        "From 1.00 times on the approximate theorem guarantees nothing; variables may still be "
        "linear, but only a probe can show it.",
        "Meet the conditions above first. The theorem also wants as many directions as the world "
        "has variables.",
    )  # fmt: skip


def _downhill(found: Geometry) -> Finding:
    return Finding(
        "Does going downhill lead to the goal?", "descent over the recordings, horizon by horizon",
        "unclear" if found.joined < 0.5 else graded(found.false_minima, 0.01, 0.05),
        f"{found.false_minima:.1%} of starts end in a false minimum of the goal metric; it rises "
        f"on {found.rises:.0%} of the steps of shortest ways; rank correlation with their length "
        f"{found.rank_correlation:.2f}; cells by {found.places}, {found.joined:.0%} of them "
        "joined", None,
        "A planner that starts in a false minimum stays there, however well the model predicts.",
        "Record motion that crosses the world (collect --behaviour restless), in more episodes: "
        "the metric is learned from the ways that were gone. Where less than half is joined, the "
        "recordings are too short to tell.",
    )  # fmt: skip
