"""``export``: a trained world model's controller as files that run without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Annotated

from tyro.conf import arg

from agent.commands.console import say, show_facts
from agent.commands.places import require_directory
from agent.errors import UserError
from agent.files.bundle import require_elsewhere
from agent.files.durable import explained_disk_errors
from agent.model.shipped import SHIPPED, find_checkpoint


@dataclass(frozen=True)
class Export:
    """Write the controller of a trained world model for a computer without torch.

    The directory holds the networks as ONNX graphs and the controller's settings. It needs numpy
    and onnxruntime to run; the actions are those of `control`, given the same random numbers.

    Examples:
      python run_agent.py export --onnx runs/exported
      python run_agent.py export --checkpoint runs/reacher --onnx runs/mine-exported
      python -m agent.export runs/exported --goal-seed 7
    """

    onnx: Annotated[Path, arg(metavar="DIR")]
    """Directory to write; an earlier export there is replaced."""
    checkpoint: Annotated[Path, arg(metavar="DIR")] = SHIPPED
    """The world model: a directory that train wrote, or the one that comes with the program."""

    @property
    def after_interrupt(self) -> str:
        """What Ctrl-C leaves behind."""
        return f"{self.onnx} is as it was before; run the same command again."

    def run(self) -> None:
        """Load, export, compare with torch, and say what there is."""
        from agent.export.exporting import export_controller
        from agent.model.checkpoint import checkpoint_sha256, load_checkpoint
        from envs import can_be_posed

        if self.onnx.suffix == ".onnx":
            raise UserError(
                f"expected a directory for several graphs and their settings, got {self.onnx}: "
                f"name it {self.onnx.with_suffix('')}"
            )
        require_elsewhere(self.onnx)
        require_directory(self.onnx.parent, "--onnx")
        found = find_checkpoint(self.checkpoint)
        model = load_checkpoint(found)
        with explained_disk_errors(self.onnx.parent):
            facts = {"checkpoint_sha256": checkpoint_sha256(found)}
            worst = export_controller(model, self.onnx, facts)
        size_mb = sum(file.stat().st_size for file in self.onnx.iterdir()) / 1e6
        shown = {"size [MB]": f"{size_mb:.1f}", "largest difference from torch": f"{worst:.1e}"}
        show_facts(f"exported to {self.onnx}", shown)
        program = f"python -m agent.export {quote(str(self.onnx))} --goal-seed 7"
        own = f"steer it in a program of your own, as {self.onnx / 'README.md'} says"
        say(f"next: {program if can_be_posed(model.spec.world) else own}")
