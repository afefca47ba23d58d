"""The plots of an analysis."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_dspy.dataset.plot_style import SERIES, bars, columns, figure, label, path_label
from synth_dspy.dataset.plots import PLOTS, draw_plots, svg_plots
from synth_dspy.dataset.statistics import statistics
from tests.dataset.made import sample
from tests.dataset.whole import whole

NAMES = {
    "overview_dashboard", "split_distribution", "type_distribution", "category_distribution",
    "modality_distribution", "multimodal_breakdown", "source_analysis", "chunk_distribution",
    "diversity_sweep", "drop_funnel", "cost_by_stage", "attempts", "mutants", "lengths",
}  # fmt: skip


def test_every_plot_is_drawn_under_its_name(tmp_path: Path) -> None:
    made = whole(tmp_path)
    written = draw_plots(made.stats, tmp_path / "analysis")
    assert {path.stem for path in written} == NAMES
    for path in written:
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            assert np.asarray(picture.convert("L")).std() > 5, f"{path.name} is blank"


def test_nothing_at_all_can_be_drawn(tmp_path: Path) -> None:
    assert len(draw_plots(statistics([]), tmp_path)) == len(NAMES)


def test_equal_numbers_give_equal_files(tmp_path: Path) -> None:
    made = whole(tmp_path)
    for name in ("one", "two"):
        draw_plots(made.stats, tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_names_with_dollars_and_markup_are_drawn_as_they_are() -> None:
    odd = [sample(n, category="$x_1$ <b>&", split="train") for n in range(3)]
    drawn = {plot.name: svg for plot, svg in svg_plots(statistics(odd), {})}
    assert "$x_1$ &lt;b&gt;&amp;" in drawn["category_distribution"]
    assert "<b>" not in drawn["category_distribution"]


def test_svg_takes_the_colours_and_the_font_of_the_page(tmp_path: Path) -> None:
    made = whole(tmp_path)
    for plot, svg in svg_plots(made.stats, {SERIES[0]: "var(--blue)"}):
        assert SERIES[0] not in svg, plot.name
        assert "DejaVu" not in svg, plot.name
        assert svg.startswith("<svg"), plot.name


def test_ids_do_not_repeat_between_the_plots_of_one_page(tmp_path: Path) -> None:
    made = whole(tmp_path)
    drawn = dict(svg_plots(made.stats, {}))
    assert set(drawn) == set(PLOTS)
    for plot, svg in drawn.items():
        ids = [part.split('"', 1)[0] for part in svg.split(' id="')[1:]]
        assert ids
        assert all(found.startswith(f"{plot.name}-") for found in ids)


def test_a_sweep_of_weights_takes_the_place_of_the_growth() -> None:
    point = {"chunk_coverage": 0.5, "image_coverage": 0.4, "mean_quality": 0.9}
    stats = statistics([], sweep=[{"diversity_weight": w, **point} for w in (0.0, 0.5, 1.0)])
    drawn = {plot.name: svg for plot, svg in svg_plots(stats, {})}
    assert "diversity weight" in drawn["diversity_sweep"]


@pytest.mark.parametrize("tally", [{}, {"none": 0}, {"a": 1}])
def test_bars_and_columns_of_little_or_nothing_can_be_drawn(tally: dict[str, int]) -> None:
    left, right = figure("a title").subplots(1, 2)
    bars(left, tally, total=1)
    columns(right, tally)
    assert len(left.patches) == len(right.patches) == len(tally)


def test_names_are_cut_where_they_say_least() -> None:
    assert label("code_generation") == "code generation"
    assert label("x" * 40, 10) == "xxxxxxxxx…"
    assert path_label("a/very/long/path/to/file.md", 12) == "…/to/file.md"
