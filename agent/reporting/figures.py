"""Every figure, in one place. Each function returns a figure; ``save_png`` writes one."""

from agent.reporting.bars import results_bars
from agent.reporting.curves import learning_curves
from agent.reporting.imagination import imagine, imagined_strip
from agent.reporting.landscape import draw_landscape, survey
from agent.reporting.style import png_bytes, save_png

__all__ = [
    "draw_landscape",
    "imagine",
    "imagined_strip",
    "learning_curves",
    "png_bytes",
    "results_bars",
    "save_png",
    "survey",
]
