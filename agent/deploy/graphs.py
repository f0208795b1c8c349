"""The exported networks, run by onnxruntime.

A directory, checked by its manifest like a checkpoint: ``config.json`` (settings) and four graphs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from agent.deploy.settings import SCHEMA, DeploySettings
from agent.errors import DamagedDataError, MachineError, UserError
from agent.interfaces import FloatArray, Image
from agent.model.bundle import read_bundle

GRAPHS = ("encode", "predict", "offsets", "slopes")
INSTALL = "python -m pip install 'lejepa-agent[export]', or onnxruntime alone to run what exists"


class Graphs:
    """What the networks of one exported world model compute; float32 throughout.

    ``directory`` is one that ``export`` wrote; ``threads`` is how many cores a call may use.

    Raises:
        UserError: if ``directory`` holds no exported controller.
        DamagedDataError: if it is not what its manifest says, or onnxruntime cannot read it.
        MachineError: if onnxruntime is not installed.
    """

    def __init__(self, directory: Path, threads: int = 1) -> None:
        files = read_bundle(directory)
        self.settings = _settings_of(directory, files)
        try:
            self._sessions = {
                name: _session(files[file_name(name)], directory / file_name(name), threads)
                for name in GRAPHS
            }
        except KeyError as error:
            raise DamagedDataError(f"expected {error} in {directory}, got none") from error

    def encode(self, frames: Image) -> FloatArray:
        """Embeddings (E, D) of ``frames`` uint8 (E, h, w, 3)."""
        return self.run("encode", frames=frames)[0]

    def predict(self, embeddings: FloatArray, blocks: FloatArray) -> FloatArray:
        """Next embeddings (E, D) from (E, L, D) and torque blocks (E, L, K*A)."""
        return self.run("predict", embeddings=embeddings, blocks=blocks)[0]

    def offsets(self, situation: Mapping[str, FloatArray], plans: FloatArray) -> FloatArray:
        """(E, N, H, M): how far from the goals plans (E, N, H, K*A) come, in the goal metric.

        ``situation`` holds ``embeddings`` (E, L, D), ``past`` (E, L-1, K*A), ``drift`` and
        ``goals`` (E, D).
        """
        return self.run("offsets", **situation, plans=plans)[0]

    def slopes(
        self, situation: Mapping[str, FloatArray], plan: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Offsets (E, H*M) of one plan (E, H, K*A) each, and their slopes (E, P, H*M)."""
        offsets, slopes = self.run("slopes", **situation, plan=plan)
        return offsets, slopes

    def run(self, name: str, **inputs: NDArray[Any]) -> list[FloatArray]:
        """Outputs of the graph ``name``."""
        outputs: list[FloatArray] = self._sessions[name].run(None, inputs)
        return outputs


def file_name(graph: str) -> str:
    """The file of a graph in the directory."""
    return f"{graph}.onnx"


def require_onnxruntime() -> Any:
    """The module; MachineError saying what to install if it is missing."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MachineError(f"onnxruntime is not installed: {INSTALL}") from error
    return onnxruntime


def _session(graph: bytes, path: Path, threads: int) -> Any:
    runtime = require_onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3  # errors; it warns about what the exporter left over
    try:
        return runtime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no public base class
        raise DamagedDataError(f"onnxruntime cannot read {path}: {error}") from error


def _settings_of(directory: Path, files: Mapping[str, bytes]) -> DeploySettings:
    try:
        config = json.loads(files["config.json"])
        schema = config["schema"]
    except (KeyError, ValueError, TypeError) as error:
        raise UserError(f"{directory} holds no exported controller: no config.json") from error
    if schema != SCHEMA:
        raise UserError(
            f"expected {directory} to hold an exported controller ({SCHEMA}), got {schema!r}: "
            "make one with `export --checkpoint DIR --onnx OUT`"
        )
    return DeploySettings.from_json(config["settings"])
