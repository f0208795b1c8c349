"""The choice of OpenGL: the user's word first, then a probe, remembered, with usable errors."""

import ctypes
import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import envs.gl as gl
from envs import GLError, configure_gl, import_opencv
from envs.reacher import arm_camera


@pytest.fixture(autouse=True)
def undecided(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As in a new process on a new machine running Linux."""
    monkeypatch.setattr(gl.platform, "system", lambda: "Linux")
    monkeypatch.setattr(gl, "_switched_off_here", False)
    monkeypatch.setattr(gl, "_loaded", lambda: None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(gl.VARIABLE, "")  # so that what the code sets is undone


def probe_answers(monkeypatch: pytest.MonkeyPatch, **answers: str | None) -> list[str]:
    asked: list[str] = []

    def probe(backend: str) -> str | None:
        asked.append(backend)
        return answers[backend]

    monkeypatch.setattr(gl, "probe", probe)
    return asked


def test_a_variable_the_user_set_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = probe_answers(monkeypatch)
    monkeypatch.setenv(gl.VARIABLE, "glfw")
    monkeypatch.setenv("DISPLAY", ":0")
    assert configure_gl() == "glfw"
    assert os.environ[gl.VARIABLE] == "glfw"
    assert asked == []


def test_a_window_without_a_display_is_refused_before_it_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(gl.VARIABLE, "glfw")
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(GLError, match="expected a display for MUJOCO_GL=glfw, got none"):
        configure_gl()


def test_egl_is_tried_first_and_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = probe_answers(monkeypatch, egl=None)
    for _ in range(2):
        monkeypatch.setenv(gl.VARIABLE, "")
        assert configure_gl() == "egl"
        assert os.environ[gl.VARIABLE] == "egl"
    assert asked == ["egl"]


def test_osmesa_is_tried_when_egl_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = probe_answers(monkeypatch, egl="no display", osmesa=None)
    assert configure_gl() == "osmesa"
    assert asked == ["egl", "osmesa"]


def test_without_any_the_error_names_packages_and_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    probe_answers(monkeypatch, egl="no display", osmesa="no library")
    with pytest.raises(GLError) as caught:
        configure_gl()
    for word in ("libegl1", "libgl1", "libosmesa6", "egl: no display", "osmesa: no library"):
        assert word in str(caught.value)
    assert not gl.cache_path().exists()  # a failure is not remembered: it may be repaired


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"backend": "quartz"}', '{"backend": ["egl"]']
)
def test_a_damaged_cache_is_probed_again(monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    asked = probe_answers(monkeypatch, egl=None)
    gl.cache_path().parent.mkdir()
    gl.cache_path().write_text(content)
    assert configure_gl() == "egl"
    assert asked == ["egl"]
    assert json.loads(gl.cache_path().read_text()) == {"backend": "egl"}


def test_a_cache_that_cannot_be_written_does_no_harm(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    probe_answers(monkeypatch, egl=None)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert configure_gl() == "egl"


def test_a_user_without_a_home_needs_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    probe_answers(monkeypatch, egl=None)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(gl.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(gl.Path, "home", homeless)
    assert configure_gl() == "egl"
    assert gl.cache_path().is_relative_to(tmp_path) and gl.cache_path().exists()


def test_other_systems_keep_their_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gl.platform, "system", lambda: "Darwin")
    assert configure_gl() == "default"
    assert os.environ[gl.VARIABLE] == ""


def test_threads_the_user_chose_for_software_gl_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    probe_answers(monkeypatch, egl=None)
    monkeypatch.setenv("LP_NUM_THREADS", "3")
    configure_gl()
    assert os.environ["LP_NUM_THREADS"] == "3"


def test_a_real_probe_draws_or_says_why() -> None:
    reason = gl.probe("no-such-backend")
    assert reason is not None
    assert "no-such-backend" in reason


def test_switched_off_by_the_user_is_respected_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(gl.VARIABLE, "disabled")
    with pytest.raises(GLError, match=r"MUJOCO_GL=disabled, which turns rendering off.*unset"):
        configure_gl()


BARE_MACHINE = """
import envs, envs.gl, envs.reacher
envs.gl.probe = lambda backend: "no library"
simulator = envs.reacher.ReacherSimulator()
simulator.reset((0.1, 0.2))
print(simulator.step((1.0, 1.0)).shape)
try:
    envs.reacher.arm_camera()
except envs.GLError as error:
    print("libegl1" in str(error))
"""


def in_new_process(program: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, gl.VARIABLE: "", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux is probed")
def test_physics_runs_on_a_machine_that_cannot_render() -> None:
    child = in_new_process(BARE_MACHINE)
    assert child.stdout.split("\n") == ["(2, 2)", "True", ""], child.stderr


def test_a_backend_that_is_not_there_is_an_error_with_advice() -> None:
    program = (
        "import envs, envs.reacher\n"
        "try: envs.reacher.ReacherSimulator()\n"
        "except envs.GLError as e: print(e)"
    )
    child = in_new_process(program, MUJOCO_GL="no-such-backend")
    assert "expected dm_control to load the OpenGL backend 'no-such-backend'" in child.stdout, (
        child.stderr
    )
    assert "libegl1" in child.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="EGL")
@pytest.mark.parametrize("world", ["reacher", "dmc:point_mass-easy"])
@pytest.mark.parametrize("device", ["0,1", "999"])
def test_a_device_that_is_not_there_is_an_error_that_names_it(world: str, device: str) -> None:
    program = (
        f"import envs\ntry: envs.make_world({world!r}).frame()\nexcept envs.GLError as e: print(e)"
    )
    child = in_new_process(program, MUJOCO_GL="egl", MUJOCO_EGL_DEVICE_ID=device)
    assert f"MUJOCO_EGL_DEVICE_ID={device}, a single number" in child.stdout, child.stderr
    assert "To fix: set MUJOCO_EGL_DEVICE_ID to the number of one device" in child.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux is probed")
def test_dm_control_imported_too_early_is_an_error_with_advice() -> None:
    program = (
        "import os, sys, types\n"
        "os.environ.pop('DISPLAY', None); os.environ.pop('WAYLAND_DISPLAY', None)\n"
        "import envs\n"
        "sys.modules['dm_control._render'] = types.SimpleNamespace(BACKEND='glfw')\n"
        "try: envs.configure_gl()\n"
        "except envs.GLError as e: print(e)"
    )
    child = in_new_process(program)
    assert "call envs.configure_gl() before that import" in child.stdout, child.stderr


TRAINS_AFTER_A_FRAME = """
import numpy as np, torch
from envs.reacher import arm_camera
renderer = arm_camera("fast", 16)
renderer.draw(np.zeros(2))
torch.optim.AdamW([torch.zeros(1, requires_grad=True)])  # a CUDA build of torch loads triton here
renderer.close()
"""


def test_a_process_that_has_drawn_can_train() -> None:
    done = in_new_process(TRAINS_AFTER_A_FRAME)
    assert done.returncode == 0, done.stderr


def test_triton_is_loaded_before_opengl(tmp_path: Path) -> None:
    (tmp_path / "triton.py").touch()
    program = "import sys, envs; envs.configure_gl(); assert 'triton' in sys.modules"
    done = in_new_process(f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{program}")
    assert done.returncode == 0, done.stderr


def test_importing_envs_is_light() -> None:
    heavy = "{'torch', 'mujoco', 'dm_control', 'cv2', 'OpenGL', 'stable_baselines3'}"
    child = in_new_process(f"import envs, sys; print({heavy} & set(sys.modules))")
    assert child.stdout.strip() == "set()", child.stderr


def test_opencv_without_its_libraries_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)  # makes the import fail
    with pytest.raises(GLError, match=r"libgl1 and libglib2\.0-0"):
        import_opencv()


class Interrupting:
    """An argument of a ctypes call that meets Ctrl-C."""

    @classmethod
    def from_param(cls, _: object) -> int:
        signal.raise_signal(signal.SIGINT)
        return 0


@pytest.mark.parametrize("where", ["opened", "drawn"])
def test_ctrl_c_within_opengl_is_ctrl_c(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """ctypes makes an ArgumentError of it, which a broken OpenGL was blamed for."""
    configure_gl()
    from dm_control.mujoco.engine import Physics

    call, real = ctypes.PyDLL(None).abs, Physics.contexts
    call.argtypes = [Interrupting]
    monkeypatch.setattr(Physics, "contexts", property(lambda self: (call(0), real.fget(self))[1]))
    if where == "opened":
        with pytest.raises(KeyboardInterrupt):
            arm_camera(size=88)
        return
    monkeypatch.undo()
    renderer = arm_camera(size=88)
    read = importlib.import_module("mujoco").mjr_readPixels
    monkeypatch.setattr("mujoco.mjr_readPixels", lambda *given: (call(0), read(*given)))
    with pytest.raises(KeyboardInterrupt):
        renderer.draw(np.zeros(2))


def test_a_context_that_cannot_be_opened_forgets_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure_gl()
    from dm_control.mujoco.engine import Physics

    def fail(physics: Physics) -> None:
        raise RuntimeError("display is gone")

    probe_answers(monkeypatch, egl=None)
    configure_gl()
    assert gl.cache_path().exists()
    monkeypatch.setattr(Physics, "contexts", property(fail))
    with pytest.raises(GLError, match=r"RuntimeError: display is gone.*libegl1"):
        arm_camera(size=72)
    assert not gl.cache_path().exists()
