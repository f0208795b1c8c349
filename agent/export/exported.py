"""The agent of an exported controller: the three lines of a robot's loop, without torch."""

from __future__ import annotations

from pathlib import Path

from agent.control.acting import Acting, as_asked, planning
from agent.export.onnx_model import OnnxModel


class ExportedAgent(Acting):
    """Acts as :class:`agent.Agent` does, from what ``export`` wrote.

    from agent import ExportedAgent

    agent = ExportedAgent.load("exported")
    action = agent.act(image, goal_image)
    """

    @classmethod
    def load(
        cls,
        directory: Path | str,
        *,
        delay_ticks: int | None = None,
        tick_ms: float | None = None,
        seed: int = 0,
        guard: bool = True,
        threads: int = 1,
    ) -> ExportedAgent:
        """Of ``directory``, to which ``export --onnx`` wrote.

        Args:
            directory: what was exported.
            delay_ticks: how many ticks late an action acts; as it was exported unless given.
            tick_ms: how long a decision may take; likewise.
            seed: of the planner's random starts.
            guard: hold while the pictures cannot be acted on.
            threads: cores that a call of onnxruntime may use.

        Raises:
            UserError: if it holds no exported controller, or one of another version, and for a
                number that makes no sense.
            DamagedDataError: if it is not what its manifest says.
            MachineError: if onnxruntime is not installed.
        """
        model = OnnxModel(Path(directory), threads)
        config = as_asked(model.control, delay_ticks, tick_ms, guard)
        return cls(model, planning(model, model.planner, config), seed)
