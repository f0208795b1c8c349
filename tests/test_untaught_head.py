"""A checkpoint whose action head was not taught says what to do about it."""

from pathlib import Path

import pytest

from agent.commands.controllers import CONTROLLERS, Acting, Learned
from agent.config import preset
from agent.errors import UserError
from agent.model.checkpoint import save_checkpoint
from agent.model.world_model import WorldModel
from envs import WorldSpec


@pytest.mark.parametrize(
    ("steps", "remedy"), [(0, r"trained with --head\.steps 0"), (5, "train --resume")]
)
def test_an_untaught_head_is_told_what_helps(steps: int, remedy: str, tmp_path: Path) -> None:
    spec = WorldSpec("recorded:any", "drawn", (16, 16), 2, 0.04)
    save_checkpoint(tmp_path / "checkpoint", WorldModel(preset("tiny").model, spec), {})
    (tmp_path / "config.toml").write_text(f"[head]\nsteps = {steps}\n")
    direct = CONTROLLERS["direct"]
    assert isinstance(direct, Learned)
    with pytest.raises(UserError, match=remedy):
        direct.make(tmp_path / "checkpoint", Acting())
