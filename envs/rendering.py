"""Pictures of the arm from above, in the profiles of ``envs.profiles``.

Area averaging from twice the size keeps edges soft: at 64 pixels, 0.05 rad of the wrist is about
half a pixel, visible only in the shades of the edges.

All profiles use dm_control's own OpenGL context class: MuJoCo's own renderer beside it would
terminate the EGL display both share, and leave the other one an invalid display at exit.
"""

from __future__ import annotations

import importlib
import threading
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs.angles import finite_pair
from envs.errors import GLError
from envs.gl import ADVICE, configure_gl, forget_gl
from envs.opencv import import_opencv
from envs.profiles import RenderProfile, checked_profile
from envs.simulator import ReacherSimulator, make_physics

Image = NDArray[np.uint8]

CAMERA_ID = 0
MAX_GEOMS = 100


class _Stage:
    """One OpenGL context with the scene in it, shared by all like renderers of a thread.

    It owns its physics, so drawing a pose never touches a simulator's state.
    """

    def __init__(self, profile: RenderProfile, size: int) -> None:
        self.users = 0
        mujoco: Any = importlib.import_module("mujoco")
        self._mujoco = mujoco
        self._cv2 = import_opencv()
        self._size = size
        self._draw_size = size * profile.supersample
        self._physics = self._make_physics(profile)
        self._contexts = self._open_contexts()
        self._scene = self._make_scene(profile)
        self._option, self._perturb = mujoco.MjvOption(), mujoco.MjvPerturb()
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._camera.fixedcamid = CAMERA_ID
        self._rectangle = mujoco.MjrRect(0, 0, self._draw_size, self._draw_size)
        self._buffer = np.empty((self._draw_size, self._draw_size, 3), dtype=np.uint8)

    def _make_physics(self, profile: RenderProfile) -> Any:
        # The OpenGL context takes its buffers from the model: they must be set before it exists.
        physics = make_physics()
        visual = physics.model.vis
        if profile.effects:
            visual.global_.offwidth = max(visual.global_.offwidth, self._draw_size)
            visual.global_.offheight = max(visual.global_.offheight, self._draw_size)
        else:
            visual.global_.offwidth = visual.global_.offheight = self._draw_size
            visual.quality.offsamples = visual.quality.shadowsize = 0
        return physics

    def _open_contexts(self) -> Any:
        try:
            return self._physics.contexts
        except Exception as error:  # each backend raises its own kind
            forget_gl()
            raise GLError(
                f"expected an OpenGL context, got {type(error).__name__}: {error}. To fix: {ADVICE}"
            ) from error

    def _make_scene(self, profile: RenderProfile) -> Any:
        scene = self._mujoco.MjvScene(self._physics.model.ptr, MAX_GEOMS)
        if not profile.effects:
            flags = self._mujoco.mjtRndFlag
            for flag in (flags.mjRND_SHADOW, flags.mjRND_REFLECTION, flags.mjRND_SKYBOX):
                scene.flags[flag] = 0
        return scene

    def draw(self, qpos_rad: ArrayLike) -> Image:
        """The arm at rest in a pose (2,), as uint8 (size, size, 3)."""
        self._physics.data.qpos[:] = qpos_rad
        self._update_scene()
        with self._contexts.gl.make_current():
            # Fetched each time: a reference kept here would outlive the OpenGL context.
            context = self._contexts.mujoco.ptr
            self._mujoco.mjr_render(self._rectangle, self._scene, context)
            self._mujoco.mjr_readPixels(self._buffer, None, self._rectangle, context)
        return self._finish()

    def _update_scene(self) -> None:
        model, data = self._physics.model.ptr, self._physics.data.ptr
        self._mujoco.mj_kinematics(model, data)
        self._mujoco.mjv_updateScene(
            model, data, self._option, self._perturb, self._camera,
            self._mujoco.mjtCatBit.mjCAT_ALL, self._scene,
        )  # fmt: skip

    def _finish(self) -> Image:
        pixels: Image = self._buffer
        if self._draw_size != self._size:
            side = (self._size, self._size)
            pixels = self._cv2.resize(pixels, side, interpolation=self._cv2.INTER_AREA)
        return np.ascontiguousarray(pixels[::-1])  # OpenGL's first row is the lowest

    def free(self) -> None:
        """Give the OpenGL context back."""
        self._physics.free()


_stages: dict[tuple[threading.Thread, str, int], _Stage] = {}


class Renderer:
    """Draws a simulator's arm from above; use it on the thread that made it.

    ``profile`` is "fast" or "dmc", ``size`` the side in pixels. Renderers of one profile and size
    share one OpenGL context, so a hundred environments cost no more than one. Raises
    ``ProfileError`` for an unknown profile or size, ``GLError`` where nothing can be rendered.
    """

    def __init__(self, simulator: ReacherSimulator, profile: str = "fast", size: int = 64) -> None:
        chosen = checked_profile(profile, size)
        configure_gl()
        self.profile = profile
        self.size = size
        self._simulator = simulator
        self._key = (threading.current_thread(), profile, size)
        if self._key not in _stages:
            _stages[self._key] = _Stage(chosen, size)
        self._stage: _Stage | None = _stages[self._key]
        self._stage.users += 1

    def render(self) -> Image:
        """The simulator's present pose, a fresh uint8 (size, size, 3), RGB, top row first."""
        return self._open_stage().draw(self._simulator.physics.data.qpos)

    def render_pose(self, qpos_rad: ArrayLike) -> Image:
        """The arm at rest in pose (2,); the simulator's state is untouched."""
        return self._open_stage().draw(finite_pair(qpos_rad, "qpos_rad"))

    def _open_stage(self) -> _Stage:
        if self._stage is None:
            raise RuntimeError("expected an open Renderer, got one that was closed")
        return self._stage

    def close(self) -> None:
        """Give back the OpenGL context when no other renderer shares it. Safe to repeat."""
        if self._stage is None:
            return
        self._stage.users -= 1
        if self._stage.users == 0:
            _stages.pop(self._key).free()
        self._stage = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
