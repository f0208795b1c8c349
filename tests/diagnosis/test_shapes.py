"""Circles, intervals and lines are told apart, with the rates and the D that were planted."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from agent.diagnosis import Trajectories, diagnose
from agent.diagnosis.circles import Coordinate, Kind
from agent.diagnosis.shapes import Shapes, circles_within, shapes
from agent.interfaces import Array
from studies.products import SHAPES, Product

EPISODES, FRAMES = 200, 40


def moving(*parts: tuple[Kind, float]) -> tuple[Product, Array]:
    """A world and its latents (E, T, n), moved on step by step."""
    product = Product(tuple(Coordinate(f"{k}{i}", k, r) for i, (k, r) in enumerate(parts)))
    generator = torch.Generator().manual_seed(0)
    columns = []
    for one in product.coordinates:
        shape = SHAPES[one.kind]
        rows = [shape.draw(EPISODES, generator)]
        for _ in range(FRAMES - 1):
            rows.append(shape.move(rows[-1], one.rate, generator))
        columns.append(torch.stack(rows, 1))
    return product, torch.stack(columns, 2).double().numpy()


def states(product: Product, latents: Array) -> Trajectories:
    names = tuple(one.name for one in product.coordinates)
    turns = tuple(2 * np.pi if one.kind == "circle" else np.inf for one in product.coordinates)
    return Trajectories("a toy", latents, names, 0.1, turns, own_units=True)


def embedded(product: Product, latents: Array, outputs: int) -> Trajectories:
    """The world's slowest features, rotated."""
    flat = torch.from_numpy(latents.reshape(-1, latents.shape[-1])).float()
    rows = product.embedding(flat, outputs).double().numpy()
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((outputs, outputs)))[0]
    values = (rows @ turn).reshape(EPISODES, FRAMES, outputs)
    return Trajectories("a toy", values, tuple(f"z{i}" for i in range(outputs)), 0.1)


WORLDS: list[tuple[tuple[Kind, float], ...]] = [
    (("circle", 0.1), ("interval", 0.25)),
    (("line", 0.2), ("circle", 0.1)),
    (("interval", 0.3), ("line", 0.1)),
]


@pytest.mark.parametrize("parts", WORLDS, ids=str)
def test_kinds_and_rates_are_those_planted(parts: tuple[tuple[Kind, float], ...]) -> None:
    product, latents = moving(*parts)
    found = shapes(states(product, latents))
    assert [one.kind for one in found.coordinates] == [kind for kind, _ in parts]
    assert [one.rate for one in found.coordinates] == pytest.approx([r for _, r in parts], rel=0.15)


def test_a_joint_that_stays_on_an_arc_is_no_circle() -> None:
    _, latents = moving(("line", 0.1), ("line", 0.1))
    data = Trajectories(
        "a toy", 0.5 * latents, ("a", "b"), 0.1, (2 * np.pi, np.inf), own_units=True
    )
    found = shapes(data)
    assert [one.kind for one in found.coordinates] == ["line", "line"]
    assert found.covered[0] < 0.9 and np.isnan(found.covered[1])


def verdicts(data: Trajectories, world: Shapes | None = None) -> dict[str, tuple[str, str]]:
    found = diagnose(data, world=world).findings
    return {line.question: (line.level, line.effect) for line in found}


def test_the_rule_and_the_outputs_it_asks_for_are_said() -> None:
    """A circle and an interval 6 times as fast: cos 2θ comes before it, 5 outputs in place of 3."""
    product, latents = moving(("circle", 0.04), ("interval", 0.24))
    said = verdicts(states(product, latents))
    level, effect = said["Does a coordinate go round?"]
    assert (
        level == "roughly" and "circle0: circle (100% of its turn), interval1: interval" in effect
    )
    level, effect = said["How many outputs does it ask for?"]
    assert level == "roughly" and effect.startswith("5 for 3 first features")
    assert "(limit 4)" in said["One rate for all directions?"][1]


def test_a_world_of_lines_has_no_circle_and_the_limit_of_a_gaussian() -> None:
    product, latents = moving(("line", 0.1), ("line", 0.15))
    said = verdicts(states(product, latents))
    assert said["Does a coordinate go round?"][0] == "holds"
    assert said["How many outputs does it ask for?"][1].startswith("2 for 2 first features")
    assert "(limit 2)" in said["One rate for all directions?"][1]


@pytest.mark.parametrize(
    ("parts", "outputs", "asked"),
    [
        ((("circle", 0.1), ("interval", 0.3)), 6, 1),
        ((("circle", 0.06), ("circle", 0.15)), 8, 2),
        ((("line", 0.1), ("line", 0.15)), 5, 0),
        ((("interval", 0.1), ("interval", 0.12)), 4, 0),
    ],
    ids=str,
)
def test_circles_of_an_embedding_are_found_and_no_harmonic_of_one(
    parts: tuple[tuple[Kind, float], ...], outputs: int, asked: int
) -> None:
    assert len(circles_within(embedded(*moving(*parts), outputs))) == asked


@pytest.mark.parametrize(("outputs", "level"), [(2, "fails"), (3, "roughly"), (5, "holds")])
def test_an_embedding_too_small_for_its_world_is_named(outputs: int, level: str) -> None:
    product, latents = moving(("circle", 0.04), ("interval", 0.24))
    world = shapes(states(product, latents))
    said = verdicts(embedded(product, latents, outputs), world)
    assert said["Enough outputs for the world?"][0] == level
    assert f"{outputs}, the world asks for 5" in said["Enough outputs for the world?"][1]
