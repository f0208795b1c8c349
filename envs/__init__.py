"""Worlds: what one is, those that come with the program, and what they share.

Importing it starts neither MuJoCo nor OpenGL. What is one world's own lives in a package of its
own, as ``envs.reacher``.
"""

from __future__ import annotations

from envs.base import (
    Column,
    Drawn,
    Image,
    Posable,
    Stretched,
    Traced,
    World,
    WorldSpec,
    passed_through,
)
from envs.behaviours import (
    BEHAVIOURS,
    USUAL_BEHAVIOUR,
    Behaviour,
    Policy,
    RollOut,
    behaviour_named,
    roll_out,
)
from envs.catalogue import (
    DEFAULT_WORLD,
    can_be_posed,
    entry_of,
    known_worlds,
    make_world,
    names_code,
    opens_by_name,
)
from envs.checking import checked_frame, require_finite, stepped
from envs.disturbance import Dial, Disturbable
from envs.errors import GLError, GoalImageError, PoseError, ProfileError, SpecError, WorldError
from envs.gl import advice as gl_advice
from envs.gl import configure_gl, probe
from envs.goals import distance_to_goal, goal_errors, goal_unit, of_one_sign, worst_error
from envs.hindsight import does_otherwise
from envs.interrupt import interrupts_held_back
from envs.opencv import import_opencv
from envs.pictures import load_goal_image
from envs.reacher.older import (
    FIRST_SCHEMA_FIELDS,
    FIRST_SCHEMA_STATE,
    spec_of_first_schema,
)
from envs.scene import Part, Placed, Scene, Staged, View
from envs.task_catalogue import task_named, tasks_of
from envs.tasks import (
    HELD_S,
    Episode,
    OffersTasks,
    Task,
    Verdict,
    episodes_of,
    judge_by_tolerance,
)
from envs.tolerances import with_tolerances, without_tolerances
from envs.user_code import failure_in_user_code, fit_to_travel, load_user_module, require_call

__all__ = [
    "BEHAVIOURS",
    "DEFAULT_WORLD",
    "FIRST_SCHEMA_FIELDS",
    "FIRST_SCHEMA_STATE",
    "HELD_S",
    "USUAL_BEHAVIOUR",
    "Behaviour",
    "Column",
    "Dial",
    "Disturbable",
    "Drawn",
    "Episode",
    "GLError",
    "GoalImageError",
    "Image",
    "OffersTasks",
    "Part",
    "Placed",
    "Policy",
    "Posable",
    "PoseError",
    "ProfileError",
    "RollOut",
    "Scene",
    "SpecError",
    "Staged",
    "Stretched",
    "Task",
    "Traced",
    "Verdict",
    "View",
    "World",
    "WorldError",
    "WorldSpec",
    "behaviour_named",
    "can_be_posed",
    "checked_frame",
    "configure_gl",
    "distance_to_goal",
    "does_otherwise",
    "entry_of",
    "episodes_of",
    "failure_in_user_code",
    "fit_to_travel",
    "gl_advice",
    "goal_errors",
    "goal_unit",
    "import_opencv",
    "interrupts_held_back",
    "judge_by_tolerance",
    "known_worlds",
    "load_goal_image",
    "load_user_module",
    "make_world",
    "names_code",
    "of_one_sign",
    "opens_by_name",
    "passed_through",
    "probe",
    "require_call",
    "require_finite",
    "roll_out",
    "spec_of_first_schema",
    "stepped",
    "task_named",
    "tasks_of",
    "with_tolerances",
    "without_tolerances",
    "worst_error",
]
