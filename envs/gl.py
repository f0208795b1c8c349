"""Which OpenGL to render with, decided once by rendering a frame in a child process.

dm_control and MuJoCo choose their OpenGL backend while they are imported, from the variable
``MUJOCO_GL``, so the choice must be made before. A library that is present but broken fails only
when a frame is drawn (sometimes by killing the process), hence the child.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.metadata
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from envs.errors import GLError

logger = logging.getLogger(__name__)

VARIABLE = "MUJOCO_GL"
DEVICE_VARIABLE = "MUJOCO_EGL_DEVICE_ID"
THREADS_VARIABLE = "LP_NUM_THREADS"  # of Mesa's software rasteriser
CANDIDATES = ("egl", "osmesa")
OFF_WORDS = ("disabled", "disable", "off", "false", "0")  # understood by both libraries
LOADED = "dm_control._render"  # the module that takes a backend when imported
PROBE_TIMEOUT_S = 60.0
PROBE = """
from dm_control.mujoco import Physics
physics = Physics.from_xml_string('''<mujoco>
  <visual><global offwidth="16" offheight="16"/><quality offsamples="0" shadowsize="0"/></visual>
  <worldbody>
    <light pos="0 0 2"/>
    <camera name="above" pos="0 0 2"/>
    <geom type="box" size=".3 .3 .1" rgba="1 .5 0 1"/>
  </worldbody>
</mujoco>''')
raise SystemExit(0 if physics.render(16, 16, camera_id=0).std() > 1.0 else "the frame is blank")
"""
ADVICE = (
    "install the packages libegl1 and libgl1, or libosmesa6 for pure software rendering "
    "(Debian/Ubuntu: apt-get install libegl1 libgl1 libosmesa6), then run again; "
    f"or set {VARIABLE} to a backend that works here (egl, osmesa, glfw), or unset it"
)

_switched_off_here = False


def advice() -> str:
    """What to do about it; what was set by hand comes before what may be missing."""
    device = os.environ.get(DEVICE_VARIABLE)
    if not device:
        return ADVICE
    return f"set {DEVICE_VARIABLE} to the number of one device, or unset it; or {ADVICE}"


def configure_gl() -> str:
    """Choose the OpenGL backend for this process and its children; return its name.

    ``MUJOCO_GL`` is left alone when it is set. Otherwise, on Linux, egl and then osmesa are tried
    in a child process by rendering a frame, and the answer is kept on disk; elsewhere the
    library's own default stays. Raises ``GLError`` naming the packages to install.
    """
    _keep_software_gl_on_one_thread()
    _load_triton_before_mesa()
    chosen = os.environ.get(VARIABLE, "")
    if chosen and not _switched_off_here:
        return _usable(chosen)
    if platform.system() != "Linux":
        return "default"
    backend = _loaded() or _remembered() or _probe_all()
    os.environ[VARIABLE] = backend
    return backend


def configure_gl_if_possible() -> None:
    """As ``configure_gl``, but a machine without OpenGL gets physics without rendering."""
    global _switched_off_here
    _keep_software_gl_on_one_thread()
    _load_triton_before_mesa()
    if os.environ.get(VARIABLE) or LOADED in sys.modules:
        return
    try:
        configure_gl()
    except GLError as error:
        logger.info("physics without rendering: %s", error)
        os.environ[VARIABLE] = OFF_WORDS[0]
        _switched_off_here = True


def forget_gl() -> None:
    """Drop the remembered answer, after it turned out wrong."""
    with contextlib.suppress(OSError):
        cache_path().unlink(missing_ok=True)


def cache_path() -> Path:
    """Where the answer for this machine, interpreter and MuJoCo version is kept."""
    versions = [importlib.metadata.version(name) for name in ("mujoco", "dm-control")]
    key = [platform.machine(), platform.node(), sys.prefix, *versions]
    digest = hashlib.sha256("\n".join(key).encode()).hexdigest()[:16]
    return _caches() / "lejepa-agent" / f"gl-{digest}.json"


def _caches() -> Path:
    """Where caches go; a user without a home, as containers have them, has no better place."""
    if named := os.environ.get("XDG_CACHE_HOME"):
        return Path(named)
    try:
        return Path.home() / ".cache"
    except RuntimeError:
        return Path(tempfile.gettempdir())


def probe(backend: str) -> str | None:
    """Render one frame with ``backend`` in a child process; None if it worked, else why not."""
    try:
        child = subprocess.run(
            [sys.executable, "-c", PROBE],
            env={**os.environ, VARIABLE: backend},
            capture_output=True,
            text=True,
            timeout=PROBE_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no frame within {PROBE_TIMEOUT_S:.0f} s"
    if child.returncode == 0:
        return None
    lines = child.stderr.strip().splitlines()
    return lines[-1] if lines else f"exit status {child.returncode}"


def _keep_software_gl_on_one_thread() -> None:
    # Mesa's rasteriser: handing frames this small to other threads costs more than it gains
    # (5 to 10 % slower), and takes cores from training. The picture is the same.
    os.environ.setdefault(THREADS_VARIABLE, "0")


def _load_triton_before_mesa() -> None:
    # CUDA builds of torch bring triton and load it when the first optimiser is made. Triton and
    # Mesa's software OpenGL each have an LLVM of their own, PyOpenGL makes Mesa's global, and
    # triton loaded after it ends the process with a segmentation fault. The other order works.
    with contextlib.suppress(ImportError):
        importlib.import_module("triton")


def _usable(chosen: str) -> str:
    if chosen in OFF_WORDS:
        raise GLError(
            f"expected a renderer, got {VARIABLE}={chosen}, which turns rendering off. "
            f"To fix: unset {VARIABLE} to have one chosen"
        )
    if _lacks_display(chosen):
        raise GLError(
            f"expected a display for {VARIABLE}={chosen}, got none. To fix: unset {VARIABLE} to "
            "have one chosen, or set it to one that needs no display (egl, osmesa)"
        )
    return chosen


def _lacks_display(backend: str) -> bool:
    has_display = bool({"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys())
    return backend == "glfw" and platform.system() == "Linux" and not has_display


def _loaded() -> str | None:
    """The backend dm_control has already taken, None before it is imported."""
    if LOADED not in sys.modules:
        return None
    backend = getattr(sys.modules[LOADED], "BACKEND", None)
    if backend is None or backend in OFF_WORDS:
        raise GLError(
            "expected a process that can render, got one that started its physics without "
            f"OpenGL. To fix: {advice()}"
        )
    if _lacks_display(backend):
        raise GLError(
            "expected to choose OpenGL before dm_control is imported, got it imported already "
            "with glfw, which needs a display. To fix: call envs.configure_gl() before that "
            f"import, or set {VARIABLE} (egl, osmesa)"
        )
    return str(backend)


def _probe_all() -> str:
    failures = []
    for backend in CANDIDATES:
        reason = probe(backend)
        if reason is None:
            _remember(backend)
            return backend
        failures.append(f"{backend}: {reason}")
    raise GLError(
        "expected an OpenGL that can draw one frame, got none "
        f"({'; '.join(failures)}). To fix: {advice()}"
    )


def _remembered() -> str | None:
    try:
        answer = json.loads(cache_path().read_text())["backend"]
    except (OSError, ValueError, KeyError, TypeError):
        return None  # absent or unreadable: probing again costs a second
    return answer if answer in CANDIDATES else None


def _remember(backend: str) -> None:
    path = cache_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(f".{os.getpid()}")
        aside.write_text(json.dumps({"backend": backend}))
        aside.replace(path)
    except OSError as error:
        logger.debug("could not remember the OpenGL backend: %s", error)
