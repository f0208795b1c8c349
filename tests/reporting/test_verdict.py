"""What a report says of itself follows from its numbers, and a failure is called one."""

from typing import Any

import pytest

from agent.evaluation.statistics import wilson
from agent.reporting.verdict import verdict


def result(controller: str, touched: int, held: int, of: int = 50) -> dict[str, Any]:
    rates = {"first_touch": vars(wilson(touched, of)), "held": vars(wilson(held, of))}
    return {"controller": controller, "protocol": "anywhere", "bought_with": None, **rates}


def said(ours: tuple[int, int], floor: tuple[int, int], of: int = 50) -> str:
    results = [result("world-model", *ours, of), result("noop", 0, 0, of)]
    return " ".join(verdict([*results, result("random", *floor, of)], []))


FAILED = "not been shown to have learned"


def test_what_began_at_its_goals_says_nothing_of_the_model() -> None:
    text = said((0, 0), (0, 0), of=0)
    assert FAILED not in text and "nothing was measured" in text


def test_a_model_that_steers_is_said_to_with_its_numbers() -> None:
    text = said((48, 45), (5, 0))
    assert FAILED not in text
    assert "touches 96.0 % of its goals (86.5 to 98.9) where random touches 10.0 %" in text
    assert "holds 90.0 % of its goals" in text


@pytest.mark.parametrize(
    ("ours", "floor", "of"),
    [((5, 0), (5, 0), 50), ((9, 2), (5, 0), 50), ((2, 2), (0, 0), 2), ((0, 0), (5, 0), 50)],
)
def test_one_that_is_within_chance_of_random_is_said_to_have_failed(
    ours: tuple[int, int], floor: tuple[int, int], of: int
) -> None:
    assert said(ours, floor, of).startswith("anywhere: the model has " + FAILED)


def test_holding_more_than_random_counts_though_both_touch() -> None:
    assert FAILED not in said((50, 40), (50, 2))


def test_a_rival_that_was_stopped_early_is_said_to_have_been() -> None:
    results = [result("world-model", 40, 40), result("sac", 30, 30), result("random", 0, 0)]
    results[1]["bought_with"] = {"env_steps": 30_400}
    early = " ".join(verdict(results, []))
    assert "stopped there" in early and "true state" in early and "400 env steps" in early
    results[1]["bought_with"] = {"env_steps": 300_000}
    late = " ".join(verdict(results, []))
    assert "stopped there" not in late
    assert "sac" not in " ".join(verdict(results[::2], []))


@pytest.mark.parametrize(
    ("sigreg", "words"),
    [
        (19.66, "not Gaussian: SIGReg is 19.7, 19 times"),
        (1.2, "about Gaussian: SIGReg is 1.20"),
    ],
)
def test_the_shape_of_the_embedding_is_commented_on(sigreg: float, words: str) -> None:
    assert words in verdict([], [{"diagnostics": {"sigreg": sigreg}}, {"loss": 1.0}])[0]
