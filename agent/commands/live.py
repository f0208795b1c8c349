"""``live``: a page on which one plays with the agent in real time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from agent.commands.values import Parallel, Port, Seed
from agent.model.shipped import SHIPPED, find_checkpoint

if TYPE_CHECKING:
    from agent.commands.worlds_asked import WorldAsked
    from agent.live.session import Session

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Live:
    """Play with a trained agent in a browser.

    Drag the goal, and it goes there; watch what it sees, how far it thinks it is, and how long it
    takes. The page is served to this machine alone unless --host says otherwise. Ctrl-C ends it.

    Examples:
      python run_agent.py live
      python run_agent.py live --checkpoint runs/two-room --port 8081
    """

    checkpoint: Annotated[Path, arg(metavar="DIR")] = SHIPPED
    """The world model: a directory that train wrote, or the one that comes with the program."""
    world: Annotated[
        str | None, arg(metavar="NAME", help_behavior_hint="(default: the checkpoint's)")
    ] = None
    """Which world to act in; `worlds` lists them."""
    host: Annotated[str, arg(metavar="ADDRESS")] = LOOPBACK
    """Where to listen; anything but the loopback lets others in, who may steer as well."""
    port: Port = 8080
    """Where the page is."""
    open: bool = False
    """Open the page in this machine's browser."""
    seed: Seed = 0
    """Decides the first start and the first goal."""
    threads: Parallel = 1
    """Threads of torch; one is fastest for a model this small."""

    @property
    def after_interrupt(self) -> str:
        """What Ctrl-C leaves behind."""
        return "The page is closed."

    def run(self) -> None:
        """Serve until Ctrl-C."""
        from agent.commands.worlds_asked import world_asked
        from agent.live.link import Link
        from agent.live.page import Page

        checkpoint = find_checkpoint(self.checkpoint)
        asked = world_asked(self.world, "", checkpoint)
        with Link(_Opener(checkpoint, asked, self.seed, self.threads)) as link:
            page = Page(self.host, self.port, link.ask)
            try:
                self._tell()
                page.open(link.opening())
                while True:
                    page.show(link.next_moment())
            finally:
                page.close()

    def _tell(self) -> None:
        from agent.commands.console import say

        say(f"the page: http://{self.host}:{self.port}")
        say(
            f"from another machine: ssh -L {self.port}:{LOOPBACK}:{self.port} THIS-MACHINE, then "
            f"http://{LOOPBACK}:{self.port}"
        )


@dataclass(frozen=True)
class _Opener:
    """Opens the session, in its own process."""

    checkpoint: Path
    asked: WorldAsked
    seed: int
    threads: int

    def __call__(self) -> Session:
        import torch

        from agent.control.mpc import WorldModelController
        from agent.control.torch_model import TorchModel
        from agent.evaluation.play import require_fit
        from agent.live.session import Session
        from agent.model.checkpoint import load_checkpoint

        torch.set_num_threads(self.threads)
        model = TorchModel(load_checkpoint(self.checkpoint))
        controller, world = WorldModelController(model), self.asked.make()
        require_fit(controller, "live", world.spec)
        return Session(world, model, controller, self.seed)
