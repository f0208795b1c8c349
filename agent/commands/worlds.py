"""``worlds``: which worlds there are, and what each of them looks like."""

from __future__ import annotations

import inspect
import re
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.markup import escape
from tyro.conf import Positional

from agent.commands.console import note, say, show_rows
from agent.commands.places import require_file_place
from agent.commands.values import optional
from agent.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from envs import GLError, Image, World, WorldError

HEADER = ("world", "what it is", "actions", "tick", "state", "looks")
PROSE = ("what it is", "state", "looks")  # may wrap
SHEET_PX = 192
SHEET_COLUMNS = 4
LABEL_PX = 24
EXAMPLES = ("dmc:point_mass-easy", "dmc:cartpole-swingup", "gym:Pendulum-v1")


@dataclass(frozen=True)
class Worlds:
    """List the worlds that can be named with --world.

    Those that come with the program, an example of each family, and what installed packages offer;
    or those that are named. A world that does not open here is listed with the reason; one that was
    named ends the command as a mistake.

    Examples:
      python run_agent.py worlds
      python run_agent.py worlds --sheet runs/worlds.png
      python run_agent.py worlds dmc:ball_in_cup-catch ./mine.py:MyWorld
    """

    names: Annotated[
        Positional[tuple[str, ...]], optional("[WORLD ...]", "all that are known")
    ] = ()
    """Which worlds."""
    sheet: Annotated[Path | None, optional("FILE")] = None
    """A .png to write, with a picture of each world."""

    after_interrupt = "Nothing was changed."

    def run(self) -> None:
        """Draw the sheet, and print the table."""
        from envs import known_worlds

        require_file_place(self.sheet, "--sheet", suffixes=(".png",))
        rows: list[tuple[str, ...]] = []
        pictures: dict[str, Image] = {}
        mistake: WorldError | GLError | None = None
        for name in self.names or (*known_worlds(), *EXAMPLES):
            error = _describe(rows, name, pictures if self.sheet else None)
            if error is not None and self.names and mistake is None:
                mistake = error
            elif error is not None:
                note(f"{name} does not open here: {error}", style="yellow")
        if self.sheet:
            _write_sheet(self.sheet, pictures)
        show_rows(HEADER, rows, folding=PROSE)
        if self.sheet:
            say(f"wrote {self.sheet}")
        if mistake is not None:
            raise mistake


def _describe(
    rows: list[tuple[str, ...]], name: str, pictures: dict[str, Image] | None
) -> WorldError | GLError | None:
    """Add a row, and a picture where those are wanted; why the world does not open, if so."""
    from envs import GLError, WorldError, entry_of, make_world

    entry = entry_of(name)
    about, looks = (entry.about, ", ".join(entry.looks)) if entry else ("", "")
    facts: list[str] = ["-", "-", "-"]
    closed: WorldError | GLError | None = None
    try:
        with closing(make_world(name)) as world:
            facts = _facts(world)
            about, looks = about or _calls_itself(world), looks or world.spec.look
            if pictures is not None:
                pictures[name] = _picture(world)
    except (WorldError, GLError) as error:
        closed = error
    rows.append(tuple(map(escape, (name, about, *facts, looks))))
    return closed


def _calls_itself(world: World) -> str:
    """What the class of a user's world says of itself first."""
    return re.split(r"[.;]?\s*\n|[.;]\s|\.$", inspect.getdoc(type(world)) or "", maxsplit=1)[0]


def _facts(world: World) -> list[str]:
    from envs import Posable

    spec = world.spec
    state = ", ".join(spec.state_names) or "pictures alone"
    posable = "" if isinstance(world, Posable) else " (cannot be posed)"
    return [str(spec.action_dim), f"{spec.step_s:g} s", state + posable]


def _picture(world: World) -> Image:
    """The start of an episode, at the size of the sheet."""
    import cv2
    import numpy as np

    from envs import Stretched

    world.reset(np.random.default_rng(1))
    rows, columns = world.camera_size() if isinstance(world, Stretched) else world.spec.image_size
    height, width = (max(1, SHEET_PX * part // max(rows, columns)) for part in (rows, columns))
    picture = np.full((SHEET_PX, SHEET_PX, 3), 255, np.uint8)
    top, left = (SHEET_PX - height) // 2, (SHEET_PX - width) // 2
    shown = cv2.resize(world.frame(), (width, height), interpolation=cv2.INTER_NEAREST)
    picture[top : top + height, left : left + width] = shown
    return picture


def _write_sheet(path: Path, pictures: dict[str, Image]) -> None:
    import numpy as np

    from agent.reporting.video import write_picture

    if not pictures:
        raise UserError(f"expected worlds that open here, to draw in {path}, got none")
    columns = min(SHEET_COLUMNS, len(pictures))
    cells = [_labelled(name, picture) for name, picture in pictures.items()]
    cells += [np.full_like(cells[0], 255)] * (-len(cells) % columns)
    rows = [np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    write_picture(path, np.vstack(rows))


def _labelled(name: str, picture: Image) -> np.ndarray:
    import cv2
    import numpy as np

    frame = cv2.copyMakeBorder(
        picture, LABEL_PX, 6, 6, 6, cv2.BORDER_CONSTANT, value=(255, 255, 255)
    )
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.42
    cv2.putText(frame, name, (6, LABEL_PX - 8), font, scale, (0, 0, 0), 1, cv2.LINE_AA)
    return np.asarray(frame)
