"""Every controller by name: how it is made, what it was learned from, what it is.

To add one is to add an entry to ``CONTROLLERS``: `evaluate --controller` offers it, and its help
and mistakes name it. Nothing is imported before a controller is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from agent.commands.checkpoints import SHIPPED, find_checkpoint
from agent.errors import UserError

if TYPE_CHECKING:
    from agent.interfaces import Controller

    ControllerName = str

PlannerName = Literal["gauss-newton", "cem", "icem", "mppi", "gradient", "random-shooting"]
DEFAULT_PLANNER: PlannerName = "gauss-newton"


@dataclass(frozen=True)
class Acting:
    """How a controller acts, for those that have the choice.

    ``planner`` by name; ``tick_ms`` a decision may take (None: as long as it needs);
    ``delay_ticks`` from a decision to its acting, known to the controllers that plan.
    """

    planner: PlannerName = DEFAULT_PLANNER
    tick_ms: float | None = None
    delay_ticks: int = 0

    def __post_init__(self) -> None:
        if self.tick_ms is not None and not self.tick_ms > 0:
            raise UserError(f"expected --tick-ms above 0, got {self.tick_ms}")
        if not 0 <= self.delay_ticks <= 8:
            raise UserError(f"expected --delay-ticks from 0 to 8, got {self.delay_ticks}")


@dataclass(frozen=True)
class Learned:
    """A controller that needs a checkpoint.

    ``make`` takes the checkpoint's directory and how to act, which those without the choice
    ignore. ``shipped`` is the checkpoint used when none is named; ``made_by`` is the
    subcommand that writes one.
    """

    about: str
    make: Callable[[Path, Acting], Controller]
    made_by: str
    shipped: Path | None = None


@dataclass(frozen=True)
class Given:
    """A controller that learns nothing."""

    about: str
    make: Callable[[], Controller]


def _world_model(checkpoint: Path, acting: Acting) -> Controller:
    from agent.control.mpc import MPCConfig, WorldModelController
    from agent.model.checkpoint import load_checkpoint
    from planners import PLANNERS

    config = MPCConfig(delay_ticks=acting.delay_ticks, tick_ms=acting.tick_ms)
    return WorldModelController(load_checkpoint(checkpoint), PLANNERS[acting.planner](), config)


def _direct(checkpoint: Path, acting: Acting) -> Controller:
    from agent.control.direct import DirectController
    from agent.model.checkpoint import checkpoint_facts, load_checkpoint

    model = load_checkpoint(checkpoint)
    if model.head is not None and "head" not in checkpoint_facts(checkpoint):
        raise UserError(
            f"expected an action head that was taught, in {checkpoint}, got an untaught one: "
            "finish its training with `train --resume`"
        )
    return DirectController(model, acting.tick_ms)


def _lewm(checkpoint: Path, acting: Acting) -> Controller:
    from agent.control.open_loop import OpenLoopController
    from agent.model.checkpoint import load_checkpoint

    return OpenLoopController(load_checkpoint(checkpoint))


def _policy(algorithm: str) -> Callable[[Path, Acting], Controller]:
    def make(checkpoint: Path, acting: Acting) -> Controller:
        from agent.baselines.actor import ActorController

        return ActorController.load(checkpoint, algorithm)

    return make


def _clone(algorithm: str) -> Callable[[Path, Acting], Controller]:
    def make(checkpoint: Path, acting: Acting) -> Controller:
        from agent.baselines.cloning import CloneController

        return CloneController.load(checkpoint, algorithm)

    return make


def _oracle() -> Controller:
    from agent.baselines.oracle import OracleController

    return OracleController()


def _computed_torque() -> Controller:
    from agent.baselines.computed_torque import ComputedTorqueController

    return ComputedTorqueController()


def _random() -> Controller:
    from agent.baselines.constant import RandomController

    return RandomController()


def _noop() -> Controller:
    from agent.baselines.constant import NoOpController

    return NoOpController()


CONTROLLERS: Mapping[str, Learned | Given] = MappingProxyType(
    {
        "world-model": Learned(
            "plans through a learned world model, from pixels", _world_model, "train", SHIPPED
        ),
        "world-model-vicreg": Learned(
            "the same, trained with VICReg in place of SIGReg", _world_model, "train"
        ),
        "direct": Learned(
            "the world model's action head, without a search, from pixels",
            _direct,
            "train",
            SHIPPED,
        ),
        "lewm": Learned(
            "LeWorldModel's own way to plan, for the preset lewm, from pixels", _lewm, "train"
        ),
        "lewm-brief": Learned(
            "LeWorldModel's recipe, 600 of its 5500 steps, from pixels", _lewm, "train"
        ),
        "sac": Learned(
            "soft actor-critic with hindsight, on true states", _policy("sac"), "baseline"
        ),
        "sac-brief": Learned(
            "the same after a tenth of the env steps, 30 400", _policy("sac"), "baseline"
        ),
        "td3": Learned("TD3 with hindsight, on true states", _policy("td3"), "baseline"),
        "ppo": Learned("PPO, on true states", _policy("ppo"), "baseline"),
        "sac-dmc": Learned(
            "soft actor-critic on dm_control's reward, for dmc-easy or dmc-hard",
            _policy("sac-dmc"),
            "baseline",
        ),
        "td3-dmc": Learned(
            "TD3 on dm_control's reward, for dmc-easy or dmc-hard", _policy("td3-dmc"), "baseline"
        ),
        "clone": Learned(
            "torques cloned with hindsight goals, from pixels", _clone("clone"), "baseline"
        ),
        "inverse-dynamics": Learned(
            "as clone, with goals at most 0.32 s ahead", _clone("inverse-dynamics"), "baseline"
        ),
        "oracle": Given("Gauss-Newton on the true simulator and its joint angles", _oracle),
        "computed-torque": Given("feedback on true states and masses", _computed_torque),
        "random": Given("uniform torques, a floor", _random),
        "noop": Given("no torque, a floor", _noop),
    }
)
if not TYPE_CHECKING:
    ControllerName = Literal[tuple(CONTROLLERS)]  # what the command line offers


def checkpoint_for(name: str, given: Path | None) -> Path | None:
    """The checkpoint directory that controller ``name`` uses; None if it needs none.

    Raises:
        UserError: if one is needed and there is none, or none is needed and one was given.
    """
    entry = CONTROLLERS[name]
    if isinstance(entry, Given):
        if given is not None:
            raise UserError(f"{name} learns nothing: leave --checkpoint away")
        return None
    place = given or entry.shipped
    if place is None:
        from agent.commands.matrix import shipped_for

        there = ", ".join(map(str, shipped_for(name)))
        shipped = f", or one of {there}" if there else ""
        raise UserError(
            f"expected --checkpoint for {name}: the directory that {entry.made_by} wrote{shipped}"
        )
    return find_checkpoint(place)


def require_planning(name: str, planner: PlannerName) -> None:
    """UserError if a planner was chosen for a controller that searches in no other way than its."""
    if planner != DEFAULT_PLANNER and not name.startswith("world-model"):
        raise UserError(f"expected --planner with world-model alone, got it with {name}: leave out")


def make_controller(name: str, checkpoint: Path | None, acting: Acting | None = None) -> Controller:
    """The controller of that name; ``checkpoint`` as :func:`checkpoint_for` found it.

    Its torques act ``acting.delay_ticks`` late.
    """
    acting = acting or Acting()
    controller = _made(name, checkpoint, acting)
    if not acting.delay_ticks:
        return controller
    from agent.evaluation.delayed import DelayedController

    return DelayedController(controller, acting.delay_ticks)


def _made(name: str, checkpoint: Path | None, acting: Acting) -> Controller:
    entry = CONTROLLERS[name]
    if isinstance(entry, Given):
        return entry.make()
    assert checkpoint is not None, f"{name} is made from a checkpoint"
    return entry.make(checkpoint, acting)
