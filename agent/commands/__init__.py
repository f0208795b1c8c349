"""The subcommands of ``run_agent.py``, one module each.

A module holds a frozen dataclass whose fields are the flags, whose docstring is the help text and
whose ``run`` does the job. Heavy imports stand inside ``run``, so that ``--help`` needs none.
"""
