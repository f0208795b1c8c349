"""A policy on disk: ``config.json`` (schema, settings, facts) and ``model.safetensors``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import safetensors.torch
from safetensors import SafetensorError
from torch import nn

from agent.errors import DamagedDataError, UserError
from agent.files.bundle import read_bundle, write_bundle
from agent.model.filling import filled
from agent.settings import from_dict
from envs import WorldSpec

CONFIG, WEIGHTS = "config.json", "model.safetensors"


class Policy(nn.Module):
    """A network made of the settings ``config`` for the world of ``spec``."""

    config: Any
    spec: WorldSpec


Network = TypeVar("Network", bound=Policy)


@dataclasses.dataclass(frozen=True)
class PolicyFiles(Generic[Network]):
    """Policies of one kind on disk.

    ``make`` makes one of its ``settings``, which stand under ``name`` in the file; ``advice``
    begins what is said of a checkpoint whose schema is not ``schema``.
    """

    schema: str
    name: str
    settings: type[Any]
    make: Callable[[Any, WorldSpec], Network]
    advice: str

    def save(self, directory: Path, policy: Network, facts: Mapping[str, Any]) -> None:
        """Write ``policy`` to ``directory``; ``facts`` (JSON values) say how it was made.

        UserError if something other than a checkpoint lies there.
        """
        config = {
            "schema": self.schema,
            self.name: dataclasses.asdict(policy.config),
            "facts": dict(facts),
            "world": policy.spec.to_json(),
        }
        tensors = {name: value.contiguous() for name, value in policy.state_dict().items()}
        files = {
            CONFIG: json.dumps(config, indent=2).encode(),
            WEIGHTS: safetensors.torch.save(tensors),
        }
        write_bundle(directory, files)

    def load(self, directory: Path, algorithm: str | None = None) -> Network:
        """The policy in ``directory``, in evaluation mode.

        Raises:
            UserError: if there is none, or one of another schema or another ``algorithm``.
            DamagedDataError: if it is not what its manifest says, or does not fit its config.
        """
        files = read_bundle(directory)
        config = self._config(directory, files)
        try:
            settings = from_dict(self.settings, config[self.name])
            spec = WorldSpec.from_json(config["world"])
            policy = filled(lambda: self.make(settings, spec), files.get(WEIGHTS, b""))
        except (SafetensorError, RuntimeError, OverflowError) as error:
            raise DamagedDataError(f"{directory}: weights do not fit {CONFIG} ({error})") from error
        except (KeyError, ValueError, TypeError) as error:
            raise DamagedDataError(f"{directory}: {CONFIG} is damaged ({error!r})") from error
        if algorithm not in (None, found := policy.config.algorithm):
            raise UserError(
                f"expected a policy of '{algorithm}' in {directory}, got one of '{found}': give "
                f"another directory, or use --controller {found}"
            )
        return policy

    def facts(self, directory: Path) -> dict[str, Any]:
        """What was told when it was saved; same errors as of :meth:`load`."""
        config = self._config(directory, read_bundle(directory, only=[CONFIG]))
        facts: dict[str, Any] = config["facts"]
        return facts

    def _config(self, directory: Path, files: Mapping[str, bytes]) -> dict[str, Any]:
        try:
            config: dict[str, Any] = json.loads(files[CONFIG])
            found = config["schema"]
        except (KeyError, ValueError, TypeError, RecursionError) as error:
            raise DamagedDataError(f"{directory}: {CONFIG} is unreadable ({error!r})") from error
        if found != self.schema:
            raise UserError(
                f"{self.advice}, or evaluate it with the controller it belongs to (expected "
                f"{self.schema} in {directory}, got {found!r})"
            )
        return config
