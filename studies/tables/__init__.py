"""The tables of ``docs/identifiability.md``, each from one study's result and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from studies.catalogue import HOMES
from studies.marks import filled, is_marked
from studies.quotes import of_files, with_quotes
from studies.records import read_study
from studies.study import PRESETS, Preset
from studies.tables.arm import reacher_ou_table, trajectories_table
from studies.tables.circles import circle_law_table, circles_table
from studies.tables.closed_loop import closed_loop_table
from studies.tables.diagnosis import MARK, diagnosis_section
from studies.tables.latent import latent_table

Means = Mapping[str, Any]
FOLDERS: Mapping[Preset, str] = {"quick": "identifiability", "full": "identifiability-full"}
METHODS = {"lejepa": "LeJEPA", "whitening": "whitening", "infonce": "InfoNCE", "fastica": "FastICA"}


def with_tables(page: str, results: Path) -> str:
    """``page`` with the part between the marks of each study, and of ``diagnose``, made anew.

    ``STUDY`` marks the preset quick, ``STUDY-full`` the other; ``results`` holds a directory for
    each, as ``FOLDERS`` names them.
    """
    for name in HOMES:
        for preset in PRESETS:
            mark = name if preset == "quick" else f"{name}-{preset}"
            if is_marked(page, mark):
                page = filled(page, mark, section(name, results / FOLDERS[preset]))
    if is_marked(page, MARK):
        page = filled(page, MARK, diagnosis_section(results))
    return with_quotes(page, {"json": of_files(results)})


def section(name: str, results: Path) -> str:
    """Figure, table, promises and provenance of a study; says so if there is no result."""
    path = results / f"{name}.json"
    if not path.exists():
        return f"Not measured yet: `python -m studies {name} --out results/{results.name}`."
    result = read_study(path)
    picture = f"![{name}](../results/{results.name}/{name}.png)"
    table = "\n".join(TABLES[name](result)) if name in TABLES else ""
    parts = [picture, table, "\n".join(_bars(result)), _made(result)]
    return "\n\n".join(part for part in parts if part)


def _bars(result: Mapping[str, Any]) -> Iterator[str]:
    bars = result["summary"]["bars"]
    yield from _head("what", "measured", "asked", "reached") if bars else ()
    for name, bar in bars.items():
        yield _line(
            name, f"{bar['value']:.6g}", bar["asked"], "yes" if bar["reached"] else "**no**"
        )


def _made(result: Mapping[str, Any]) -> str:
    minutes = result["compute_s"] / 60
    return (
        f"{len(result['rows'])} runs, {minutes:.1f} minutes of one core in all, "
        f"{result['hardware']}, {result['date'][:10]}: `{result['command']}`."
    )


def _worlds(result: Mapping[str, Any]) -> Iterator[str]:
    table = result["summary"]["table"]
    kinds = list(next(iter(table.values())))
    names = [f"{METHODS[kind]} R²" for kind in kinds]
    yield from _head("mixing", "no encoder R²", *names, "LeJEPA MCC", "LeJEPA orthogonality error")
    for mixing, found in table.items():
        lejepa = found["lejepa"]
        yield _line(
            mixing, _mean(lejepa["observed_r2"], 3), *(_mean(found[k]["r2"]) for k in kinds),
            _mean(lejepa["mcc"], 3), _mean(lejepa["orthogonality_error"], 3),
        )  # fmt: skip


def _scaling(result: Mapping[str, Any]) -> Iterator[str]:
    yield from _head(
        "N", "no encoder R²", "LeJEPA R²", "by a rotation", "orthogonality error", "seeds"
    )
    for n, found in result["summary"]["table"].items():
        yield _line(
            n, _mean(found["observed_r2"], 3), _mean(found["r2"], 6),
            _mean(found["rotation_r2"], 4), _mean(found["orthogonality_error"], 3),
            str(found["r2"]["n"]),
        )  # fmt: skip


def _law(result: Mapping[str, Any]) -> Iterator[str]:
    table = result["summary"]["table"]
    shapes = sorted(next(iter(table["lejepa"].values())), key=float)
    yield from _head("method", "mixing", *(f"α = {float(shape):g}" for shape in shapes))
    for method, mixings in table.items():
        name = "mcc" if method == "fastica" else "r2"
        label = f"{METHODS[method]}, {'MCC' if name == 'mcc' else 'R²'}"
        for mixing, found in mixings.items():
            yield _line(label, mixing, *(_mean(found[shape][name], 3) for shape in shapes))


def _bound(result: Mapping[str, Any]) -> Iterator[str]:
    found = result["summary"]
    yield from _head(
        "runs", "bound broken", "above it by chance", "bound < 2", "median bound / error"
    )
    yield _line(
        str(found["runs"]), str(len(found["violations"])),
        str(found["above_within_chance"]),
        str(found["runs_where_it_says_something"]), f"{found['median_bound_over_error']:.2f}",
    )  # fmt: skip


def _conditions(result: Mapping[str, Any]) -> Iterator[str]:
    yield from _head(
        "broken", "by", "LeJEPA R²", "its worse latent", "whitening R²", "its worse latent"
    )
    yield _condition("nothing", "", result["summary"]["whole"])
    for condition, amounts in result["summary"]["table"].items():
        for amount, found in amounts.items():
            name = "λ at 4 times the rate" if condition == "weight" else condition
            yield _condition(name, f"{float(amount):g}", found)


def _condition(name: str, amount: str, found: Means) -> str:
    cells = []
    for kind in ("lejepa", "whitening"):
        if kind not in found:
            cells += ["–", "–"]
            continue
        worse = min(found[kind]["r2_first"]["mean"], found[kind]["r2_second"]["mean"])
        cells += [_mean(found[kind]["r2"], 3), f"{worse:.3f}"]
    return _line(name, amount, *cells)


def _mean(interval: Means, digits: int = 4) -> str:
    return f"{interval['mean']:.{digits}f}"


def _head(*names: str) -> list[str]:
    return [_line(*names), "|" + "---|" * len(names)]


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


TABLES: Mapping[str, Callable[[Mapping[str, Any]], Iterator[str] | Sequence[str]]] = {
    "worlds": _worlds,
    "scaling": _scaling,
    "law": _law,
    "bound": _bound,
    "conditions": _conditions,
    "circles": circles_table,
    "circle-law": circle_law_table,
    "closed-loop": closed_loop_table,
    "reacher-ou": reacher_ou_table,
    "reacher-trajectories": trajectories_table,
    "latent": latent_table,
}
