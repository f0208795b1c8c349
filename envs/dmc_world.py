"""Any task of dm_control's suite as a world: ``dmc:DOMAIN-TASK`` (Tassa et al. 2018).

The body and its start are the suite's; its reward and time limit are left out, and where it draws
a target, that is hidden. A tick is the multiple of the task's own control step nearest to 0.04 s.
The state is ``qpos`` then ``qvel``.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import numpy as np

from envs.anywhere import BUDGET_S
from envs.base import MAX_STATE, Array, Image, WorldSpec
from envs.dm_control_library import explained_physics, import_dm_control
from envs.dmc_columns import state_columns
from envs.errors import PoseError, WorldError
from envs.looks import check_look
from envs.mujoco_scene import MujocoScene
from envs.mujoco_stage import StageCamera
from envs.mujoco_world import MujocoWorld
from envs.scenery import FREE_CAMERA

TICK_S = 0.04
UNBOUNDED = 1e10  # how MuJoCo writes a control without limits
_CROSSING_S = {"point_mass": 8.0}  # at its top speed of 0.1 m/s it takes 6 s
TARGET = "target"  # how the suite's models name what only the task wants


def load_suite() -> Any:
    """``dm_control.suite``; ``GLError`` where MUJOCO_GL asks for what this machine lacks."""
    return import_dm_control("dm_control.suite")


class DmcWorld(MujocoWorld):
    """A body of dm_control's suite; see :class:`envs.base.World`.

    It can be posed, and never ends by itself. Actions are scaled from [-1, 1] to the task's box.
    Raises ``WorldError`` for an unknown ``task`` ("DOMAIN-TASK"), actions without bounds, or a
    scene that is another in every episode, ``ProfileError`` for an unknown ``look`` or an absurd
    ``image_size``.
    """

    def __init__(self, task: str, look: str = "fast", image_size: int = 64) -> None:
        check_look(look, image_size)
        self._domain, self._task_name = _known(task)
        self._environment = self._load()
        box = self._environment.action_spec()
        self._low, self._high = (np.broadcast_to(b, box.shape) for b in (box.minimum, box.maximum))
        if (np.maximum(-self._low, self._high) >= UNBOUNDED).any():
            raise WorldError(f"expected bounded actions, got dmc:{task} without bounds")
        physics, control_s = self._environment.physics, self._environment.control_timestep()
        step_s = max(1, round(TICK_S / control_s)) * control_s
        self._physics_steps = round(step_s / physics.timestep())
        self.spec = WorldSpec(
            world=f"dmc:{task}",
            look=look,
            image_size=(image_size, image_size),
            action_dim=int(np.prod(box.shape)),
            step_s=float(step_s),
            state=state_columns(self._domain, physics.model),
        )
        super().__init__(physics)
        self._nq = int(physics.model.nq)
        self._spare: Any = None
        before = _standing(physics.model)
        self.reset(np.random.default_rng(0))
        if not np.array_equal(before, _standing(physics.model)):
            raise WorldError(
                f"dmc:{task} puts parts of its scene elsewhere in every episode, which are no part "
                "of its state: no picture of a state could show them"
            )

    @property
    def crossing_s(self) -> float:
        """See :class:`envs.anywhere.Crossed`."""
        return _CROSSING_S.get(self._domain, BUDGET_S)

    def reset(self, rng: np.random.Generator, state: Array | None = None) -> None:
        """Begin as the task does, or in ``state``: ``qpos`` then ``qvel``.

        Raises:
            PoseError: for a state of another length, or with numbers beyond ``MAX_STATE``.
        """
        chosen = None if state is None else self._checked(state)
        _begin(self._environment, rng)
        if chosen is not None:
            self._pose(chosen)

    def step(self, action: Array) -> bool:
        """``action`` (A,), clipped to [-1, 1], for one tick; it never ends by itself."""
        given = np.asarray(action, np.float64)
        if given.shape != (self.spec.action_dim,) or not np.isfinite(given).all():
            raise ValueError(f"expected {self.spec.action_dim} finite numbers, got {action!r}")
        self._environment.task.before_step(self._controls(given), self.physics)
        self.before_step()
        with explained_physics(self.spec.world):
            self.physics.step(self._physics_steps)
        self.after_step()
        self._environment.task.after_step(self.physics)
        return False

    def sample_state(self, rng: np.random.Generator) -> Array:
        """At rest where the task would begin; the point mass anywhere in its arena."""
        qvel = np.zeros(self.physics.model.nv)
        if self._domain == "point_mass":
            return np.concatenate([rng.uniform(*self.physics.model.jnt_range.T), qvel])
        if self._spare is None:
            self._spare = self._load()
        _begin(self._spare, rng)
        return np.concatenate([self._spare.physics.data.qpos, qvel])

    def picture(self, state: Array) -> Image:
        """The body in the pose of ``state`` (S,)."""
        return self._draw(self._checked(state)[: self._nq])

    def scene(self) -> MujocoScene:
        """See :class:`envs.scene.Staged`."""
        return MujocoScene(self.physics.model.ptr, hidden=TARGET)

    def _load(self) -> Any:
        return load_suite().load(self._domain, self._task_name, task_kwargs={"random": 0})

    def _controls(self, actions: Array) -> Array:
        share = (np.clip(actions, -1.0, 1.0) + 1.0) / 2.0
        controls: Array = self._low + share * (self._high - self._low)
        return controls

    def _pose(self, state: Array) -> None:
        with explained_physics(self.spec.world), self.physics.reset_context():
            self.physics.data.qpos[:] = state[: self._nq]
            self.physics.data.qvel[:] = state[self._nq :]

    def _checked(self, state: Array) -> Array:
        given = np.asarray(state, np.float64)
        if given.shape != (len(self.spec.state),) or not (np.abs(given) <= MAX_STATE).all():
            names = ", ".join(self.spec.state_names)
            raise PoseError(
                f"expected a number within ±{MAX_STATE:g} each of {names}, got {state!r}"
            )
        return given

    def _open_camera(self) -> StageCamera:
        camera = 0 if self.physics.model.ncam else FREE_CAMERA
        look, size = self.spec.look, self.spec.image_size[0]
        return StageCamera(self.spec.world, self._make_bare_physics, camera, look, size)

    def _make_bare_physics(self) -> Any:
        """The body's physics with the task's target made invisible."""
        physics = self._load().physics
        for kind in ("geom", "site"):
            colours = getattr(physics.model, f"{kind}_rgba")
            for index in range(len(colours)):
                if (physics.model.id2name(index, kind) or "").startswith(TARGET):
                    colours[index, 3] = 0.0
        return physics


def _standing(model: Any) -> Array:
    """Where the parts of the scene are, but what only a task wants."""
    names = [model.id2name(index, "body") or "" for index in range(model.nbody)]
    shown = [index for index, name in enumerate(names) if not name.startswith(TARGET)]
    parts = (model.body_pos[shown], model.body_quat[shown], model.hfield_data)
    return np.concatenate([np.ravel(part) for part in parts])


def _begin(environment: Any, rng: np.random.Generator) -> None:
    """An episode's start as the task draws it, from ``rng`` alone."""
    environment.task.random.seed(int(rng.integers(2**32)))
    with environment.physics.reset_context():
        environment.task.initialize_episode(environment.physics)


def _known(task: str) -> tuple[str, str]:
    names = {f"{domain}-{name}": (domain, name) for domain, name in load_suite().ALL_TASKS}
    if task in names:
        return names[task]
    nearest = get_close_matches(task, names, n=1, cutoff=0.0)[0]
    raise WorldError(
        f"unknown task {task!r} of dm_control's suite: expected DOMAIN-TASK; did you mean "
        f"'dmc:{nearest}'?"
    )
