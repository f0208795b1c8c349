"""What worlds in MuJoCo share: their pictures, their state, and what disturbs the body.

Any body can be made heavier or stiffer, held at a joint, and pushed at its end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from envs.base import Array, Image
from envs.disturbance import Dial
from envs.mujoco_stage import StageCamera

HEAVIER = Dial("mass", "mass ×", 0.5, 5.0, 1.0, 0.1)
STIFFER = Dial("friction", "friction ×", 0.0, 10.0, 1.0, 0.1)
HOLDS = "hold-"
HOLDING = 1e4  # rotor inertia in place of damping: stable under every integrator
GRAVITY_M_S2 = 9.81


class MujocoWorld(ABC):
    """The part of a world that is its ``physics``, dm_control's Physics; see ``envs.base.World``.

    Pictures are drawn when the first is asked for, so a world that is only simulated needs no
    OpenGL. What disturbs it: see :class:`envs.disturbance.Disturbable`.
    """

    def __init__(self, physics: Any) -> None:
        self._camera: StageCamera | None = None
        self.physics, model = physics, physics.model
        self._mass, self._inertia = model.body_mass.copy(), model.body_inertia.copy()
        self._damping, self._armature = model.dof_damping.copy(), model.dof_armature.copy()
        self._moving = [body for body in range(model.nbody) if model.body_weldid[body]]
        self._held = np.zeros(model.nv)
        self._dofs = self._named_dofs()

    def frame(self) -> Image:
        """What the camera sees now, uint8 (size, size, 3)."""
        return self._draw(self.physics.data.qpos)

    def state(self) -> Array:
        """``qpos`` then ``qvel``, raw: an angle is not wrapped."""
        return np.concatenate([self.physics.data.qpos, self.physics.data.qvel])

    def drawn_with(self) -> dict[str, str]:
        """See :class:`envs.base.Drawn`."""
        return self._opened().drawn_with()

    def close(self) -> None:
        """Give back the OpenGL context."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None

    @property
    def dials(self) -> tuple[Dial, ...]:
        """Mass, friction, and a switch for each joint."""
        holds = [Dial(f"{HOLDS}{name}", f"hold {name}", 0, 1, 0, 1) for name in self._dofs]
        return (HEAVIER, STIFFER, *holds)

    def turn(self, name: str, value: float) -> None:
        """See :class:`envs.disturbance.Disturbable`."""
        model = self.physics.model
        if name == HEAVIER.name:
            model.body_mass[:] = value * self._mass
            model.body_inertia[:] = value * self._inertia
        elif name == STIFFER.name:
            model.dof_damping[:] = value * self._damping
        else:
            self._held[self._dofs[name.removeprefix(HOLDS)]] = value
            model.dof_armature[:] = self._armature + HOLDING * self._held
        self.physics.forward()  # the coming step would begin with the masses of the last one

    def before_step(self) -> None:
        """What is held stands still."""
        if self._held.any():
            self.physics.data.qvel[self._held > 0] = 0.0

    def after_step(self) -> None:
        """Nothing pushes any more."""
        self.physics.data.xfrc_applied[:] = 0.0

    def push(self, way: Array) -> None:
        """Through the coming step."""
        if not self._moving:
            return
        weight_n = GRAVITY_M_S2 * float(self._mass[self._moving].sum())
        self.physics.data.xfrc_applied[self._moving[-1], :3] = weight_n * way

    @abstractmethod
    def _open_camera(self) -> StageCamera:
        """What draws this world."""

    def _draw(self, qpos: ArrayLike) -> Image:
        return self._opened().draw(qpos)

    def _opened(self) -> StageCamera:
        if self._camera is None:
            self._camera = self._open_camera()
        return self._camera

    def _named_dofs(self) -> dict[str, list[int]]:
        """The degrees of freedom of each joint; a free one is not held."""
        model = self.physics.model
        named: dict[str, list[int]] = {}
        for dof, joint in enumerate(model.dof_jntid):
            name = model.id2name(int(joint), "joint") or f"joint {joint}"
            named.setdefault(name, []).append(dof)
        return {name: dofs for name, dofs in named.items() if len(dofs) == 1}
