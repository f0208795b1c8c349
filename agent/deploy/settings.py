"""What an exported controller is told besides its graphs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.errors import DamagedDataError

SCHEMA = "lejepa-agent/deploy/1"


@dataclass(frozen=True)
class DeploySettings:
    """The world, the model's shapes, and the controller's numbers, under their usual names.

    The first nine are those of ``WorldModelConfig``, then ``MPCConfig`` with ``GoalCostConfig``,
    then ``GaussNewtonConfig``.
    """

    image_size: int
    latent_dim: int
    context: int
    torque_dim: int
    action_block: int
    action_repeat: int
    physics_dt_s: float
    render_profile: str
    goal_directions: int
    horizon: int
    drift_gain: float
    surprise_limit: float
    effort: float
    change: float
    iterations: int
    dampings: tuple[float, ...]
    random_starts: int
    start_correlation: float

    @property
    def control_dt_s(self) -> float:
        """Seconds between control ticks."""
        return self.action_repeat * self.physics_dt_s

    @property
    def block_width(self) -> int:
        """K*A, numbers in one torque block."""
        return self.action_block * self.torque_dim

    def to_json(self) -> dict[str, Any]:
        """Plain values, by name."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> DeploySettings:
        """The settings that :meth:`to_json` gave.

        Raises:
            DamagedDataError: if one is missing or unknown.
        """
        try:
            return cls(**{**values, "dampings": tuple(values["dampings"])})
        except (KeyError, TypeError) as error:
            raise DamagedDataError(
                f"expected the settings of this version's export, got others ({error}): "
                "export again"
            ) from error
