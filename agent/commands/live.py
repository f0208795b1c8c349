"""``live``: a page on which one plays with the agent in real time."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from agent.commands.console import note, say
from agent.commands.values import Parallel, Port, Seed, optional
from agent.model.shipped import SHIPPED, find_checkpoint

if TYPE_CHECKING:
    from agent.live.link import Link
    from agent.live.page import Page

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Live:
    """Play with a trained agent in a browser.

    Drag the goal, and it goes there; push it, dim its light, choose how it plans, and watch what it
    sees, what it imagines and how far it thinks it is. The page is served to this machine alone
    unless --host says otherwise. Ctrl-C ends it.

    Examples:
      python run_agent.py live
      python run_agent.py live --checkpoint runs/two-room --data data/two-room --port 8081
      python run_agent.py live --goal-state 0.5 -1.2 --set light=0.6 delay=2
    """

    checkpoint: Annotated[Path, arg(metavar="DIR")] = SHIPPED
    """The world model: a directory that train wrote, or the one that comes with the program."""
    world: Annotated[str | None, optional("NAME", "the checkpoint's")] = None
    """Which world to act in; `worlds` lists them."""
    host: Annotated[str, arg(metavar="ADDRESS")] = LOOPBACK
    """Where to listen; anything but the loopback lets others in, who may steer as well."""
    port: Port = 8080
    """Where the page is."""
    open: bool = False
    """Open the page in this machine's browser."""
    data: Annotated[Path | None, optional("DIR", "poses of the world")] = None
    """Recordings whose pictures are offered as goals."""
    beside: Annotated[Path | None, optional("DIR", "none")] = None
    """A policy that `baseline` trained on states, as a rival to have beside it."""
    start_state: Annotated[tuple[float, ...], optional("NUMBERS", "random")] = ()
    """The state it starts in; what is left out at the end is 0."""
    goal_state: Annotated[tuple[float, ...], optional("NUMBERS", "random")] = ()
    """The first goal, as a state."""
    set: Annotated[tuple[str, ...], optional("NAME=VALUE", "as usual")] = ()
    """Where controls of the page stand at first; the page's own command line names them."""
    seed: Seed = 0
    """Decides a random start and the first goal."""
    threads: Parallel = 1
    """Threads of torch; one is fastest for a model this small."""

    after_interrupt = "The page is closed."

    def run(self) -> None:
        """Serve until Ctrl-C."""
        from agent.commands.opening import open_session
        from agent.live.link import Link
        from agent.live.server import require_free

        require_free(self.host, self.port)
        find_checkpoint(self.checkpoint)  # where there is none, nothing is begun
        with Link(partial(open_session, self)) as link:  # first: what it loads takes longest
            from agent.live.page import Page

            with closing(Page(self.host, self.port, link.ask)) as page:
                self._tell()
                _serve(page, link)

    def _tell(self) -> None:
        host = f"[{self.host}]" if ":" in self.host else self.host
        address = f"http://{host}:{self.port}"
        say(f"the page: {address}")
        if self.host in (LOOPBACK, "localhost", "::1"):
            say(
                f"from another machine: ssh -L {self.port}:{host}:{self.port} THIS-MACHINE, then "
                f"http://{LOOPBACK}:{self.port}"
            )
        else:
            note(
                f"listening on {self.host}: whoever reaches it can look and steer, and nothing is "
                "encrypted",
                style="yellow",
            )
        if self.open:
            import webbrowser

            if not webbrowser.open(address):
                note(f"no browser was found here: open {address} yourself", style="yellow")


def _serve(page: Page, link: Link) -> None:
    """Show what the session sends until it ends; its end is said on the page too."""
    from agent.live.page import MOURN_S

    try:
        page.begin(link.glimpse())
        page.open(link.opening())
        for moment in link.moments(lambda: page.pilots.somebody_looks):
            page.show(moment)
    except KeyboardInterrupt:
        page.say("**It was ended.** Start it again, and this page goes on.")
        raise
    except Exception as error:
        page.say(f"**It has ended**: {error}", MOURN_S)
        raise
