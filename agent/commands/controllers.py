"""Every controller by name: how it is made, what it was learned from, in which world it can act.

To add one is to add an entry to ``CONTROLLERS``: `evaluate --controller` offers it, and its help
and mistakes name it. ``FILE.py:NAME`` is a user's own. Nothing is imported before one is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.commands.command import imported
from agent.commands.own_code import own_controller, planner_named, require_known
from agent.errors import UserError
from agent.model.shipped import SHIPPED, find_checkpoint

if TYPE_CHECKING:
    from agent.interfaces import Controller
    from agent.model.world_model import WorldModel
    from envs import WorldSpec

DEFAULT_PLANNER = "gauss-newton"
GUARDED = ("world-model", "direct")  # that hold where what is seen cannot be acted on
NETWORKS = (*GUARDED, "lewm")  # that compute on a device


@dataclass(frozen=True)
class Acting:
    """How a controller acts, for those that have the choice.

    ``planner`` by name, or FILE.py:NAME; ``tick_ms`` a decision may take (None: as long as it
    needs); ``delay_ticks`` from a decision to its acting, known to who acts on a world model;
    ``guard``: hold where what is seen cannot be acted on; ``device`` on which a network computes.
    """

    planner: str = DEFAULT_PLANNER
    tick_ms: float | None = None
    delay_ticks: int = 0
    guard: bool = True
    device: str = "cpu"

    def __post_init__(self) -> None:
        from planners import PLANNERS

        require_known("planner", self.planner, PLANNERS)
        if self.tick_ms is not None and not self.tick_ms > 0:
            raise UserError(f"expected --tick-ms above 0, got {self.tick_ms}")
        if not 0 <= self.delay_ticks <= 8:
            raise UserError(f"expected --delay-ticks from 0 to 8, got {self.delay_ticks}")


@dataclass(frozen=True)
class Learned:
    """A controller that needs a checkpoint.

    ``make`` takes the checkpoint's directory and how to act, which those without the choice
    ignore. ``shipped`` is the checkpoint used when none is named.
    """

    make: Callable[[Path, Acting], Controller]
    shipped: Path | None = None


@dataclass(frozen=True)
class Given:
    """A controller that learns nothing: the class ``package.module:Class``.

    ``world`` is the only one it can act in; None: any, and the class is called with its spec.
    """

    home: str
    world: str | None = None

    def make(self, spec: WorldSpec) -> Controller:
        """One more of it, for the world of ``spec``."""
        kind = imported(self.home)
        made: Controller = kind(spec) if self.world is None else kind()
        return made


def _world_model(checkpoint: Path, acting: Acting) -> Controller:
    from agent.control.mpc import MPCConfig, WorldModelController
    from agent.control.torch_model import TorchModel

    config = MPCConfig(delay_ticks=acting.delay_ticks, tick_ms=acting.tick_ms, guarded=acting.guard)
    model = TorchModel(_network(checkpoint, acting))
    try:
        return WorldModelController(model, planner_named(acting.planner), config)
    except ValueError as error:
        raise UserError(f"{checkpoint}: {error}") from error


def _direct(checkpoint: Path, acting: Acting) -> Controller:
    from agent.control.direct import DirectController
    from agent.control.torch_model import TorchModel
    from agent.model.checkpoint import has_untaught_head

    network = _network(checkpoint, acting)
    if has_untaught_head(network, checkpoint):
        raise UserError(
            f"expected an action head that was taught, in {checkpoint}, got an untaught one: "
            f"{_remedy(checkpoint)}"
        )
    model = TorchModel(network)
    return DirectController(model, acting.tick_ms, acting.guard, acting.delay_ticks)


def _remedy(checkpoint: Path) -> str:
    """A head that was never to be taught is taught by no resuming."""
    from agent.commands.training_settings import read_settings
    from agent.config import CONFIG_NAME

    config = checkpoint.parent / CONFIG_NAME
    if config.exists() and read_settings(config)[1].get("head.steps") == 0:
        return (
            "it was trained with --head.steps 0; train one without that, or plan with this model "
            "(--controller world-model)"
        )
    return "finish its training with `train --resume`"


def _lewm(checkpoint: Path, acting: Acting) -> Controller:
    from agent.control.open_loop import OpenLoopController
    from agent.control.torch_model import TorchModel

    return OpenLoopController(TorchModel(_network(checkpoint, acting)))


def _network(checkpoint: Path, acting: Acting) -> WorldModel:
    from agent.model.checkpoint import load_checkpoint
    from agent.training.fit import usable_device

    return load_checkpoint(checkpoint).to(usable_device(acting.device))


def _rival(home: str, algorithm: str) -> Learned:
    """A policy that ``baseline`` trains, read by the class ``package.module:Class``."""
    return Learned(lambda checkpoint, acting: imported(home).load(checkpoint, algorithm))


_ACTOR, _CLONE = "agent.rivals.actor:ActorController", "agent.rivals.cloning:CloneController"
CONTROLLERS: Mapping[str, Learned | Given] = {
    "world-model": Learned(_world_model, SHIPPED),
    "direct": Learned(_direct, SHIPPED),
    "lewm": Learned(_lewm),
    **{name: _rival(_ACTOR, name) for name in ("sac", "td3", "ppo", "sac-dmc", "td3-dmc")},
    **{name: _rival(_CLONE, name) for name in ("clone", "inverse-dynamics")},
    "oracle": Given("agent.rivals.reacher.oracle:OracleController", SHIPPED.name),
    "computed-torque": Given(
        "agent.rivals.reacher.computed_torque:ComputedTorqueController", SHIPPED.name
    ),
    "random": Given("agent.rivals.constant:RandomController"),
    "noop": Given("agent.rivals.constant:NoOpController"),
}


def checkpoint_for(name: str, given: Path | None) -> Path | None:
    """The checkpoint directory that controller ``name`` uses; None if it needs none.

    Raises:
        UserError: if one is needed and there is none, or none is needed and one was given.
    """
    entry = CONTROLLERS.get(name)
    if entry is None:  # a user's own, which may have learned something
        return None if given is None else find_checkpoint(given)
    if not isinstance(entry, Learned):
        if given is not None:
            raise UserError(f"{name} learns nothing: leave --checkpoint away")
        return None
    place = given or entry.shipped
    if place is None:
        maker = "train" if name in NETWORKS else "baseline"
        raise UserError(f"expected --checkpoint for {name}: the directory that {maker} wrote")
    return find_checkpoint(place)


def make_controller(
    name: str, checkpoint: Path | None, spec: WorldSpec, acting: Acting | None = None
) -> Controller:
    """The controller of that name for a world of ``spec``.

    ``checkpoint`` as :func:`checkpoint_for` found it. Its actions act ``acting.delay_ticks`` late.

    Raises:
        UserError: if it cannot act in that world, or a user's own lacks something.
    """
    acting = acting or Acting()
    controller = _made(name, checkpoint, spec, acting)
    if not acting.delay_ticks:
        return controller
    from agent.control.delay_line import DelayedController

    return DelayedController(controller, acting.delay_ticks)


def _made(name: str, checkpoint: Path | None, spec: WorldSpec, acting: Acting) -> Controller:
    entry = CONTROLLERS.get(name)
    if entry is None:
        return own_controller(name, checkpoint, spec)
    if isinstance(entry, Given):
        if entry.world not in (None, spec.world):
            raise UserError(f"{name} knows the world {entry.world} alone, got {spec.world}")
        return entry.make(spec)
    assert checkpoint is not None, f"{name} is made from a checkpoint"
    return entry.make(checkpoint, acting)
