"""Any gymnasium environment that draws itself and takes a box of actions: ``gym:ID``.

States are ``info["state"]`` where there is one, else an observation of one dimension, else none.
An environment may say what they mean with ``state_columns``, a tuple of :class:`envs.base.Column`;
those with a tolerance make it one whose goals can be judged, and so does its name
(:mod:`envs.tolerances`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from envs.base import Array, Column, Image, WorldSpec
from envs.errors import GLError, PoseError, WorldError
from envs.gl import VARIABLE, advice, configure_gl, configure_gl_if_possible
from envs.looks import check_look
from envs.opencv import import_opencv
from envs.user_code import failure_in_user_code

LOOK = "own"
_DRAWERS = ("pygame", "mujoco")
DEFAULT_STEP_S = 0.05  # where the environment's metadata has no render_fps


def _step_s(fps: Any) -> float:
    """Seconds between two actions, of the environment's ``render_fps`` where it has one."""
    try:
        return 1.0 / fps if fps else DEFAULT_STEP_S
    except TypeError as error:
        raise WorldError(f"expected a number as render_fps in its metadata, got {fps!r}") from error


def open_gymnasium(name: str, look: str = LOOK, image_size: int = 64) -> GymnasiumWorld:
    """The environment registered as ``name``, without its registered limit of time.

    Whoever plays says for how long; a limit would end an episode that goes on from a recording.

    Raises:
        WorldError: if it cannot be a world.
        GLError: if it draws with MuJoCo, and there is no OpenGL.
    """
    _say_that_there_is_no_screen()
    configure_gl_if_possible()  # before MuJoCo is imported, which many draw with
    try:
        env = gymnasium.make(name, render_mode="rgb_array", max_episode_steps=-1)
    except Exception as error:  # what an environment's own making raises is its own
        raise WorldError(f"gym:{name} cannot be made: {error}") from error
    if hasattr(env.unwrapped, "mujoco_renderer"):
        configure_gl()
    return GymnasiumWorld(env, f"gym:{name}", look, image_size)


def _say_that_there_is_no_screen() -> None:
    """Or pygame looks for one and complains, though pictures need none."""
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ):
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")


class GymnasiumWorld:
    """A gymnasium environment as a world; see :class:`envs.base.World`.

    Frames are resized to ``image_size`` by area averaging; actions are scaled from [-1, 1] to the
    environment's box; an episode ends where it says terminated or truncated.
    """

    def __init__(
        self, env: gymnasium.Env[Any, Any], name: str, look: str = LOOK, image_size: int = 64
    ) -> None:
        check_look(look, image_size, (LOOK,))
        self._env, self._name = env, name
        self._require_pictures()
        self._box = self._action_box()
        self._drawn: tuple[int, ...] = ()
        self._state = np.empty(0)
        self._size: int | None = None
        self._is_told = False  # by ``info``
        self.reset(np.random.default_rng(0))
        self.spec = WorldSpec(
            world=name,
            look=look,
            image_size=(image_size, image_size),
            action_dim=int(np.prod(self._box.shape)),
            step_s=_step_s(env.metadata.get("render_fps")),
            state=self._columns(),
        )
        self._size = len(self._state)

    def reset(self, rng: np.random.Generator, state: Array | None = None) -> None:
        """Begin an episode; the environment's seed is drawn from ``rng``.

        Raises:
            PoseError: for any ``state``.
        """
        if state is not None:
            raise PoseError(f"{self._name} cannot be put in a state: start it without one")
        seed = int(rng.integers(2**31))
        with self._explained("begin"):
            observation, info = self._env.reset(seed=seed)
        self._remember(observation, info)

    def step(self, action: Array) -> bool:
        """``action`` (A,), clipped to [-1, 1]; True on terminated or truncated."""
        given = np.asarray(action, np.float64)
        if given.shape != (self.spec.action_dim,) or not np.isfinite(given).all():
            raise ValueError(f"expected {self.spec.action_dim} finite numbers, got {action!r}")
        low, high = np.float64(self._box.low), np.float64(self._box.high)
        share = (np.clip(given, -1.0, 1.0).reshape(self._box.shape) + 1.0) / 2.0
        scaled = np.clip(low + share * (high - low), low, high).astype(self._box.dtype)
        with self._explained("step"):
            observation, _, terminated, truncated, info = self._env.step(scaled)
            ended = bool(terminated or truncated)
        self._remember(observation, info)
        return ended

    def frame(self) -> Image:
        """What the environment draws, uint8 (size, size, 3)."""
        with self._explained("draw"):
            self._take_opengl()
            drawn: Any = self._env.render()
        if not isinstance(drawn, np.ndarray) or drawn.dtype != np.uint8 or drawn.ndim != 3:
            is_array = isinstance(drawn, np.ndarray)
            kind = f"{drawn.dtype} {drawn.shape}" if is_array else type(drawn).__name__
            raise WorldError(f"expected uint8 frames (h, w, 3) of {self._name}, got {kind}")
        self._drawn = self._drawn or drawn.shape
        if drawn.shape[2] != 3:
            raise WorldError(
                f"expected frames (h, w, 3) of {self._name}, red, green and blue, got {drawn.shape}"
            )
        if drawn.shape != self._drawn:
            raise WorldError(
                f"expected frames (h, w, 3) of one size from {self._name}, got {drawn.shape} after "
                f"{self._drawn}"
            )
        cv2 = import_opencv()
        if drawn.shape[:2] == self.spec.image_size:
            return drawn.copy()
        size = self.spec.image_size[::-1]
        return np.asarray(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA), np.uint8)

    def camera_size(self) -> tuple[int, int]:
        """See :class:`envs.base.Stretched`: height and width [px] of what the environment draws."""
        if not self._drawn:
            self.frame()
        return self._drawn[0], self._drawn[1]

    def state(self) -> Array:
        """The environment's state (S,); S is 0 where it tells none."""
        return self._state.copy()

    def drawn_with(self) -> dict[str, str]:
        """See :class:`envs.base.Drawn`: gymnasium, the environment's package, and what it uses."""
        own = type(self._env.unwrapped).__module__.partition(".")[0]
        found = {}
        for name in ("gymnasium", own, *(n for n in _DRAWERS if n in sys.modules)):
            with suppress(PackageNotFoundError):
                found[name] = version(name)
        return found

    def close(self) -> None:
        """Close the environment."""
        self._env.close()

    def _take_opengl(self) -> None:
        """A viewer of gymnasium's believes that nobody else has drawn since it did."""
        viewer = getattr(getattr(self._env.unwrapped, "mujoco_renderer", None), "viewer", None)
        if viewer is not None:
            viewer.make_context_current()

    @contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        """Tell whose failure it is; a user's own file is told with its line elsewhere.

        Raises:
            GLError: if OpenGL is what fails.
            WorldError: for anything else that the environment raises.
        """
        try:
            yield
        except Exception as error:
            if isinstance(error, MemoryError) or failure_in_user_code(error):
                raise
            told = f"{self._name} cannot {doing}: {error}"
            if "OpenGL" in told or VARIABLE in told:
                raise GLError(f"{told}. To fix: {advice()}") from error
            raise WorldError(told if str(error) else told + repr(error)) from error

    def _require_pictures(self) -> None:
        if self._env.render_mode != "rgb_array":
            modes = self._env.metadata.get("render_modes", [])
            raise WorldError(
                f"expected {self._name} to draw with render_mode='rgb_array', got "
                f"{self._env.render_mode!r} (it offers {modes})"
            )

    def _action_box(self) -> spaces.Box:
        space = self._env.action_space
        if not isinstance(space, spaces.Box) or not np.issubdtype(space.dtype, np.floating):
            raise WorldError(f"expected {self._name} to take a Box of real numbers, got {space}")
        if not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
            raise WorldError(
                f"expected a finite box of actions of {self._name}, got {space}: bound it with "
                "gymnasium.wrappers.RescaleAction or in the environment"
            )
        return space

    def _remember(self, observation: Any, info: Any) -> None:
        told = info.get("state") if isinstance(info, Mapping) else None
        if self._size is not None and (told is not None) != self._is_told:
            first, now = ("info['state']", "none") if self._is_told else ("no info['state']", "one")
            raise WorldError(
                f"expected {first} of {self._name}, as at its first reset, got {now}: tell it at "
                "reset and at every step, or never"
            )
        self._is_told = told is not None
        if told is None and isinstance(observation, np.ndarray) and observation.ndim == 1:
            told = observation
        try:
            state = np.array([] if told is None else told, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise WorldError(
                f"expected info['state'] of {self._name} to be its state, an array (S,) of "
                f"numbers, got {told!r}: tell anything else by another name"
            ) from error
        if state.ndim != 1 or not np.isfinite(state).all():
            raise WorldError(
                f"expected a state (S,) of finite numbers from {self._name}, got {state!r}"
            )
        if self._size is not None and len(state) != self._size:
            raise WorldError(
                f"expected {self._size} numbers of state from {self._name}, got {len(state)}"
            )
        self._state = state

    def _columns(self) -> tuple[Column, ...]:
        known = self._env.has_wrapper_attr("state_columns")  # of any wrapper, or of what it wraps
        own = self._env.get_wrapper_attr("state_columns") if known else None
        if own is None:
            return tuple(Column(f"obs_{index}") for index in range(len(self._state)))
        columns = tuple(own)
        if not all(isinstance(column, Column) for column in columns):
            raise WorldError(f"expected envs.Column in state_columns of {self._name}, got {own!r}")
        if len(columns) != len(self._state):
            seen = f"observes {type(self._env.observation_space).__name__}"
            none = f": it {seen}, and without info['state'] that is no state; tell one there"
            raise WorldError(
                f"expected one of state_columns for each number of state of {self._name}, got "
                f"{len(columns)} for {len(self._state)}{'' if len(self._state) else none}"
            )
        return columns
