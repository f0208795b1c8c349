"""The file of a diagnosis may be written again; somebody else's may not."""

from pathlib import Path

import pytest

from agent.commands.places import require_file_place
from agent.diagnosis.page import write_record
from agent.errors import UserError


def test_the_command_may_be_repeated(tmp_path: Path) -> None:
    place = tmp_path / "found.json"
    write_record(place, [], {"data": {}})
    require_file_place(place, "--json")


def test_what_is_somebody_elses_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "found.json"
    place.write_text('{"schema": "another/diagnosis/1"}')
    with pytest.raises(UserError, match="there already"):
        require_file_place(place, "--json")
