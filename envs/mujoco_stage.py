"""Pictures of any dm_control physics, in the looks of ``envs.looks``.

Area averaging from twice the size keeps edges soft: motions of half a pixel show in the shades.

All looks use dm_control's own OpenGL context class: MuJoCo's own renderer beside it would
terminate the EGL display both share, and leave the other one an invalid display at exit.
"""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from envs.base import Image
from envs.errors import GLError
from envs.gl import THREADS_VARIABLE, advice, configure_gl, forget_gl
from envs.interrupt import interrupts_held_back
from envs.looks import FAST, check_look
from envs.opencv import import_opencv
from envs.scenery import FREE_CAMERA, Depths, Scenery, stands_still

SPARE_GEOMS = 100  # MuJoCo adds a few of its own to those of the model
_Key = tuple[threading.Thread, str, int, str, int]  # and the model, camera, look and size


class _Stage:
    """One OpenGL context with the scene in it, shared by all like cameras of a thread.

    It owns its physics, so drawing a pose never touches a world's state.
    """

    def __init__(self, physics: Any, key: _Key) -> None:
        self.users, self.key, self.process_id = 0, key, os.getpid()
        _, _, camera, look, size = key
        mujoco: Any = importlib.import_module("mujoco")
        self._mujoco = mujoco
        self._cv2 = import_opencv()
        self._size = size
        self._is_fast = look == FAST
        self._draw_size = 2 * size if self._is_fast else size
        self._physics = physics
        self._set_buffers()
        self._contexts = self._open_contexts()
        self._scene = self._make_scene()
        self._option, self._perturb = mujoco.MjvOption(), mujoco.MjvPerturb()
        self._camera = self._make_camera(camera)
        self._rectangle = mujoco.MjrRect(0, 0, self._draw_size, self._draw_size)
        self._buffer = np.empty((self._draw_size, self._draw_size, 3), dtype=np.uint8)
        self._depths = np.empty((self._draw_size, self._draw_size), dtype=np.float32)
        self._scenery = self._drawn_scenery(camera) if self._is_fast else None

    def _set_buffers(self) -> None:
        # The OpenGL context takes its buffers from the model: they must be set before it exists.
        visual = self._physics.model.vis
        if self._is_fast:
            visual.global_.offwidth = visual.global_.offheight = self._draw_size
            visual.quality.offsamples = visual.quality.shadowsize = 0
        else:
            visual.global_.offwidth = max(visual.global_.offwidth, self._draw_size)
            visual.global_.offheight = max(visual.global_.offheight, self._draw_size)

    def _open_contexts(self) -> Any:
        global _draws_on_threads
        _draws_on_threads = os.environ.get(THREADS_VARIABLE, "0") != "0"  # Mesa starts them now
        try:
            with interrupts_held_back():
                return self._physics.contexts
        except Exception as error:  # each backend raises its own kind
            forget_gl()
            raise GLError(
                f"expected an OpenGL context, got {type(error).__name__}: {error}. "
                f"To fix: {advice()}"
            ) from error

    def _make_scene(self) -> Any:
        model = self._physics.model
        scene = self._mujoco.MjvScene(model.ptr, 2 * (model.ngeom + model.nsite) + SPARE_GEOMS)
        if self._is_fast:
            flags = self._mujoco.mjtRndFlag
            for flag in (flags.mjRND_SHADOW, flags.mjRND_REFLECTION, flags.mjRND_SKYBOX):
                scene.flags[flag] = 0
        return scene

    def _make_camera(self, index: int) -> Any:
        camera = self._mujoco.MjvCamera()
        if index == FREE_CAMERA:
            self._mujoco.mjv_defaultFreeCamera(self._physics.model.ptr, camera)
        else:
            camera.type = self._mujoco.mjtCamera.mjCAMERA_FIXED
            camera.fixedcamid = index
        return camera

    def draw(self, qpos: ArrayLike) -> Image:
        """The body at rest with joint positions (nq,), as uint8 (size, size, 3)."""
        self._physics.data.qpos[:] = qpos
        self._move()
        kinds = self._mujoco.mjtCatBit
        if self._scenery is None:
            self._take(kinds.mjCAT_ALL)
            return self._finish(self._buffer)
        self._take(kinds.mjCAT_DYNAMIC | kinds.mjCAT_DECOR, self._depths)
        return self._finish(self._scenery.behind(self._buffer, self._depths))

    def _drawn_scenery(self, camera: int) -> Scenery | None:
        """None where all must be drawn each time."""
        kinds = self._mujoco.mjtCatBit
        self._move()
        self._fill_scene(kinds.mjCAT_ALL)
        if not stands_still(self._physics.model, self._scene, camera):
            return None
        self._take(kinds.mjCAT_STATIC, self._depths)
        return Scenery(self._buffer.copy(), self._depths.copy())

    def _move(self) -> None:
        """Every solid, camera and light to where joint positions put it."""
        model, data = self._physics.model.ptr, self._physics.data.ptr
        self._mujoco.mj_kinematics(model, data)
        self._mujoco.mj_comPos(model, data)  # cameras and lights may follow it
        self._mujoco.mj_camlight(model, data)
        self._mujoco.mj_tendon(model, data)

    def _fill_scene(self, kinds: int) -> None:
        self._mujoco.mjv_updateScene(
            self._physics.model.ptr, self._physics.data.ptr, self._option, self._perturb,
            self._camera, kinds, self._scene,
        )  # fmt: skip

    def _take(self, kinds: int, depths: Depths | None = None) -> None:
        """Draw what is of these ``kinds`` into the buffer, and its ``depths``."""
        self._fill_scene(kinds)
        with self._current_gl():
            # Fetched each time: a reference kept here would outlive the OpenGL context.
            context = self._contexts.mujoco.ptr
            context.readDepthMap = self._mujoco.mjtDepthMap.mjDEPTH_ZEROFAR  # unrounded
            self._mujoco.mjr_render(self._rectangle, self._scene, context)
            self._mujoco.mjr_readPixels(self._buffer, depths, self._rectangle, context)

    @contextmanager
    def _current_gl(self) -> Iterator[None]:
        """Our own OpenGL context, whatever another library has drawn in since.

        dm_control makes it current only where it remembers another of its own.
        """
        gl = self._contexts.gl
        with interrupts_held_back(), gl.make_current() as thread:
            thread.call(gl._platform_make_current)
            yield

    def _finish(self, pixels: Image) -> Image:
        if self._draw_size != self._size:
            side = (self._size, self._size)
            pixels = self._cv2.resize(pixels, side, interpolation=self._cv2.INTER_AREA)
        return np.ascontiguousarray(pixels[::-1])  # OpenGL's first row is the lowest

    def drawn_with(self) -> dict[str, str]:
        """MuJoCo, dm_control, and which OpenGL draws."""
        gl: Any = importlib.import_module("OpenGL.GL")
        names = {"gl_vendor": gl.GL_VENDOR, "gl_renderer": gl.GL_RENDERER, "gl": gl.GL_VERSION}
        with self._current_gl():
            told = {key: gl.glGetString(name) for key, name in names.items()}
        found = {key: value.decode(errors="replace") for key, value in told.items() if value}
        return {name: version(name) for name in ("mujoco", "dm-control")} | found

    def free(self) -> None:
        """Give the OpenGL context back."""
        self._physics.free()


_stages: dict[_Key, _Stage] = {}
_draws_on_threads = _left_threads_behind = (
    False  # Mesa, and in a fork: whoever draws waits for them
)


class StageCamera:
    """Draws poses of one model; use it on the thread that made it.

    ``model`` names what ``make_physics`` makes: cameras of one model, ``camera`` (an index, or
    ``FREE_CAMERA``), ``profile`` ("fast" or "dmc") and ``size`` (the side in px) share one OpenGL
    context, so a hundred environments cost no more than one. A copy, a pickle and a forked process
    open theirs when they draw. Raises ``ProfileError`` for an unknown profile or size, ``GLError``
    where nothing can be rendered.
    """

    def __init__(
        self, model: str, make_physics: Callable[[], Any], camera: int, profile: str, size: int
    ) -> None:
        check_look(profile, size)
        self._asked = (model, camera, profile, size)
        self._make_physics = make_physics
        self._is_open = True
        self._stage: _Stage | None = self._share()

    def draw(self, qpos: ArrayLike) -> Image:
        """The body at rest with joint positions (nq,): a fresh uint8 (size, size, 3), RGB."""
        return self._opened().draw(qpos)

    def drawn_with(self) -> dict[str, str]:
        """What these pictures follow from, beside model and pose: names and versions."""
        return self._opened().drawn_with()

    def close(self) -> None:
        """Give back the OpenGL context when no other camera shares it. Safe to repeat."""
        stage, self._stage, self._is_open = self._stage, None, False
        if stage is None or stage.process_id != os.getpid():
            return
        stage.users -= 1
        if stage.users == 0:
            _stages.pop(stage.key).free()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_stage": None}  # an OpenGL context belongs to its process

    def _opened(self) -> _Stage:
        if not self._is_open:
            raise RuntimeError("expected an open camera, got one that was closed")
        if self._stage is None or self._stage.process_id != os.getpid():
            self._stage = self._share()
        return self._stage

    def _share(self) -> _Stage:
        configure_gl()
        if _left_threads_behind:
            raise GLError(
                "expected a process that may draw, got one forked from a process that had drawn on "
                f"threads ({THREADS_VARIABLE}={os.environ.get(THREADS_VARIABLE)}), which are not "
                "in the fork. To fix: start it with multiprocessing's 'spawn', or unset "
                f"{THREADS_VARIABLE}"
            )
        key = (threading.current_thread(), *self._asked)
        if key not in _stages:
            _stages[key] = _Stage(self._make_physics(), key)
        _stages[key].users += 1
        return _stages[key]


def _leave_stages() -> None:
    """In a process just forked: the contexts stay its parent's, neither used nor freed here."""
    global _left_threads_behind
    _left_threads_behind = _left_threads_behind or _draws_on_threads
    _left.append(dict(_stages))
    _stages.clear()


_left: list[Any] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_stages)
