"""An exported world model, run by onnxruntime: what a controller needs, without torch.

A directory, checked by its manifest like a checkpoint: ``config.json``, four graphs, and the
model's sight.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from agent.control.model import Situation
from agent.control.mpc import MPCConfig
from agent.errors import DamagedDataError, UserError
from agent.extras import require
from agent.files.bundle import has_bundle, read_bundle
from agent.files.json_files import parsed
from agent.interfaces import FloatArray, Image
from agent.machine.cores import usable_cores
from agent.model.sight import sight_of
from agent.settings import from_dict
from envs import WorldSpec
from planners import GaussNewtonPlanner

SCHEMA = "lejepa-agent/deploy/5"
GRAPHS = ("encode", "predict", "offsets", "slopes")
EPISODES = "episodes"  # the name of the axis E of every graph


class OnnxModel:
    """What ``export`` wrote to ``directory``; see :class:`agent.control.model.Model`.

    ``threads`` is how many cores a call may use. ``control`` and ``planner`` are the settings that
    it was exported with.

    Raises:
        UserError: if ``directory`` holds no exported controller, or one of another version, and for
            more threads than cores, or none.
        DamagedDataError: if it is not what its manifest says, or onnxruntime cannot read it.
        MachineError: if onnxruntime is not installed.
    """

    def __init__(self, directory: Path, threads: int = 1) -> None:
        require_threads(threads)
        if not has_bundle(directory) and not any(directory.glob("*.onnx")):
            raise UserError(
                f"expected an exported controller in {directory}, got none: make one with `export`"
            )
        files = read_bundle(directory)
        config = _config_of(directory, files)
        self.spec = WorldSpec.from_json(config["world"])
        self.context, self.action_block = int(config["context"]), int(config["action_block"])
        self.control = from_dict(MPCConfig, config["control"])
        self.planner = from_dict(GaussNewtonPlanner, config["planner"])
        self.sight = sight_of(directory, files)
        try:
            self._graphs = {name: files[file_name(name)] for name in GRAPHS}
        except KeyError as error:
            raise DamagedDataError(f"expected {error} in {directory}, got none") from error
        self._directory, self._threads = directory, threads
        self._open()

    def _open(self) -> None:
        """The graphs for one episode; those for several open when they are first asked for."""
        self._sessions = {(name, True): self._session(name, alone=True) for name in GRAPHS}

    def __getstate__(self) -> dict[str, Any]:
        """Without the sessions, which no other process could use: it opens its own."""
        return {name: value for name, value in vars(self).items() if name != "_sessions"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._open()

    def encode(self, frames: Image) -> FloatArray:
        """Embeddings (E, D) of frames uint8 (E, h, w, 3)."""
        return self.run("encode", frames=frames)[0]

    def predict(self, embeddings: FloatArray, blocks: FloatArray) -> FloatArray:
        """Next embeddings (E, D) from (E, L, D) and action blocks (E, L, K*A)."""
        return self.run("predict", embeddings=embeddings, blocks=blocks)[0]

    def rollout(self, now: Situation, plans: FloatArray) -> FloatArray:
        """Offsets (E, N, H, M) from the goals after each step of plans (E, N, H, K*A)."""
        return self.run("offsets", **_inputs(now), plans=plans)[0]

    def linearise(self, now: Situation, plan: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Offsets (E, H, M) of one plan (E, H, K*A) each, and their slopes (E, P, H, M)."""
        offsets, predicted = self.run("offsets", **_inputs(now), plans=plan[:, None])
        known = {"embeddings": now.embeddings, "past": now.past, "predicted": predicted[:, 0]}
        return offsets[:, 0], self.run("slopes", **known, plan=plan)[0]

    def run(self, name: str, **inputs: NDArray[Any]) -> list[FloatArray]:
        """Outputs of the graph ``name``; DamagedDataError if it cannot be computed."""
        try:
            which = name, len(next(iter(inputs.values()))) == 1
            if which not in self._sessions:
                self._sessions[which] = self._session(*which)
            outputs: list[FloatArray] = self._sessions[which].run(None, inputs)
        except Exception as error:  # its exceptions share no public base class
            raise DamagedDataError(f"onnxruntime cannot compute {name}: {error}") from error
        return outputs

    def _session(self, name: str, alone: bool) -> Any:
        """The graph of that name; ``alone``: for one episode, in five sixths of the time."""
        runtime = require("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self._threads, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # as libraries do
        options.log_severity_level = 3  # errors; it warns about what the exporter left over
        if alone:
            options.add_free_dimension_override_by_name(EPISODES, 1)
        try:
            return runtime.InferenceSession(
                self._graphs[name], options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its exceptions share no public base class
            path = self._directory / file_name(name)
            raise DamagedDataError(f"onnxruntime cannot read {path}: {error}") from error


def _inputs(now: Situation) -> dict[str, FloatArray]:
    """What the graphs take of a situation, by their names for it."""
    return {name: getattr(now, name) for name in ("embeddings", "past", "drift", "goals")}


def require_threads(threads: int, said: str = "threads") -> None:
    """UserError for more threads than cores, or none; ``said`` is how they were asked for."""
    cores = usable_cores()
    if not 1 <= threads <= cores:
        raise UserError(f"expected {said} from 1 to {cores}, got {threads}")


def file_name(graph: str) -> str:
    """The file of a graph in the directory."""
    return f"{graph}.onnx"


def _config_of(directory: Path, files: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        config: dict[str, Any] = parsed(files["config.json"])
        schema = config["schema"]
    except (KeyError, ValueError, TypeError) as error:
        raise UserError(f"{directory} holds no exported controller: no config.json") from error
    if schema != SCHEMA:
        raise UserError(
            f"expected {directory} to hold an exported controller ({SCHEMA}), got {schema!r}: "
            "make one with `export --checkpoint DIR --onnx OUT`"
        )
    return config
