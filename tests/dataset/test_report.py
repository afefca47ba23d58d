"""The report: one page, self-contained, with every text shown as text."""

import base64
import hashlib
import html
import io
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from synth_dspy.dataset import report_rows
from synth_dspy.dataset.plots import PLOTS
from synth_dspy.dataset.rejected import Rejected
from synth_dspy.dataset.report import write_report
from synth_dspy.dataset.report_rows import browsable, spread_over
from synth_dspy.dataset.show_conversations import show_conversation
from synth_dspy.dataset.statistics import statistics
from synth_dspy.errors import StoreError
from tests.dataset.made import picture, sample
from tests.dataset.whole import shown, whole

EVIL = "</script><script>document.title='owned'</script><!--<img src=x onerror=alert(1)>\u2028"
REJECTED = Rejected("answer", "test_failed", EVIL, EVIL, "qa", EVIL, answer=EVIL, category=EVIL)


def page(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def data(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    loaded = json.loads(found[1])
    assert isinstance(loaded, dict)
    return loaded


def test_the_report_holds_every_sample_and_every_rejection(tmp_path: Path) -> None:
    made = whole(tmp_path)
    path = write_report(made.stats, made.shown, tmp_path / "analysis", tmp_path)
    items = data(page(path))["items"]
    assert path.name == "report.html"
    assert Counter(item["state"] for item in items) == {"accepted": 60, "rejected": 14}


def test_every_plot_is_in_the_page(tmp_path: Path) -> None:
    made = whole(tmp_path)
    text = page(write_report(made.stats, shown(made.samples), tmp_path, tmp_path))
    for plot in PLOTS:
        assert f'id="{plot.name}"' in text
    assert text.count('<svg role="img"') == len(PLOTS)


def test_the_funnel_names_stages_and_reasons(tmp_path: Path) -> None:
    made = whole(tmp_path)
    text = page(write_report(made.stats, shown(made.samples), tmp_path, tmp_path))
    assert "test failed <b>9</b>, weak tests <b>4</b>, failed <b>1</b>" in text


def test_nothing_in_the_page_points_to_the_network(tmp_path: Path) -> None:
    made = whole(tmp_path)
    text = page(write_report(made.stats, shown(made.samples), tmp_path, tmp_path))
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', text)
    assert not re.findall(r"@import|url\((?!#)", text)
    assert "default-src 'none'" in text


def test_only_the_script_of_the_page_may_run(tmp_path: Path) -> None:
    text = page(write_report(statistics([]), [], tmp_path, tmp_path))
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) == 1
    allowed = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{allowed}'" in text


def test_no_text_of_a_sample_becomes_markup(tmp_path: Path) -> None:
    fields = ("question", "answer", "category", "test_code", "entry_point", "code_context")
    evil = sample(2, split="train", **dict.fromkeys(fields, EVIL), source=EVIL)
    evil = replace(evil, metadata={EVIL: EVIL, "steps": {EVIL: {"model": EVIL, "attempts": 1}}})
    stages = {EVIL: {"in": 2, "out": 1, "dropped": {EVIL: 1}, "llm_calls": 1}}
    stats = statistics([evil], stage_summaries=stages, rejected=[REJECTED])
    path = write_report(stats, shown([evil], [REJECTED]), tmp_path, tmp_path, name=EVIL)
    text = page(path)
    assert len(re.findall(r"<script", text)) == 2
    assert "<img src=x" not in text
    assert "<!--" not in text
    assert data(text)["items"][0]["parts"][0]["text"] == EVIL


def test_the_name_is_escaped_and_shown(tmp_path: Path) -> None:
    text = page(write_report(statistics([]), [], tmp_path, tmp_path, name="<a> & $b"))
    assert f"<title>{html.escape('<a> & $b')}</title>" in text


def test_equal_input_gives_an_equal_page(tmp_path: Path) -> None:
    made = whole(tmp_path)
    for name in ("one", "two"):
        write_report(made.stats, made.shown, tmp_path / name, tmp_path)
    assert page(tmp_path / "one/report.html") == page(tmp_path / "two/report.html")


def test_the_file_may_be_named(tmp_path: Path) -> None:
    path = write_report(statistics([]), [], tmp_path / "x" / "look.html", tmp_path)
    assert path == tmp_path / "x" / "look.html"
    assert path.is_file()


def test_a_missing_image_is_an_error_that_names_it(tmp_path: Path) -> None:
    lost = sample(1, image="images/lost.png")
    with pytest.raises(StoreError, match=r"images/lost\.png"):
        write_report(statistics([lost]), shown([lost]), tmp_path, tmp_path)


def test_thumbnails_are_small_webp_and_shared(tmp_path: Path) -> None:
    path = picture(tmp_path, "a.png", size=(1200, 800))
    rows = browsable(shown(sample(n, image=path) for n in range(5)), run_dir=tmp_path, limit=99)
    assert [item["picture"] for item in rows["items"]] == [0] * 5
    (uri,) = rows["pictures"]
    head, encoded = uri.split(",", 1)
    thumbnail = Image.open(io.BytesIO(base64.b64decode(encoded)))
    assert head == "data:image/webp;base64"
    assert (thumbnail.format, thumbnail.size) == ("WEBP", (480, 320))


def test_pictures_stop_at_their_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_rows, "_PICTURES_BYTES", 1)
    samples = [sample(n, image=picture(tmp_path, f"{n}.png")) for n in range(4)]
    rows = browsable(shown(samples), run_dir=tmp_path, limit=99)
    assert len(rows["pictures"]) == 1
    assert [item["picture"] for item in rows["items"]] == [0, -1, -1, -1]


def test_long_texts_are_cut_with_a_note(tmp_path: Path) -> None:
    rows = browsable(shown([sample(2, answer="x" * 9_000)]), run_dir=tmp_path, limit=9)
    assert rows["items"][0]["parts"][1]["text"].endswith("3,000 more characters in the dataset")


def test_of_many_samples_every_kind_stays(tmp_path: Path) -> None:
    samples = [sample(n, split="train") for n in range(300)]
    samples.append(sample(1000, category="rare", split="test"))
    rejected = [replace(REJECTED, reason=f"r{n % 7}") for n in range(200)]
    items = browsable(shown(samples, rejected), run_dir=tmp_path, limit=60)["items"]
    assert len(items) == 60
    assert "rare" in {item["facets"]["category"] for item in items}
    assert {item["reason"] for item in items if item["state"] == "rejected"} == {
        f"r{n}" for n in range(7)
    }


def test_few_rejections_leave_their_room_to_samples(tmp_path: Path) -> None:
    samples = [sample(n, split="train") for n in range(80)]
    items = browsable(shown(samples, [REJECTED] * 2), run_dir=tmp_path, limit=60)["items"]
    assert Counter(item["state"] for item in items) == {"accepted": 58, "rejected": 2}


def test_a_selection_is_proportional_and_keeps_the_order() -> None:
    rows = ["a"] * 80 + ["b"] * 20
    chosen = spread_over(rows, 10, lambda row: row)
    assert chosen == ["a"] * 8 + ["b"] * 2


def test_when_there_is_room_for_all_nothing_is_left_out() -> None:
    assert spread_over([3, 1, 2], 3, lambda row: row) == [3, 1, 2]


def test_the_history_of_errors_is_in_the_page_and_bounded() -> None:
    row = replace(REJECTED, errors=tuple(f"report {n}" for n in range(12)))
    (item,) = browsable(shown([], [row]), run_dir=Path(), limit=9)["items"]
    assert item["errors"] == [f"report {n}" for n in range(4, 12)]


def test_what_can_be_filtered_by_is_in_a_known_order_with_a_recipes_own_in_between() -> None:
    rows = [
        show_conversation("a", [], facets={"style": "curt", "split": "test"}, metadata={}),
        show_conversation(
            "b", [], facets={"type": "t"}, metadata={}, rejected=("judge", "off_topic", "")
        ),
    ]
    assert browsable(rows, run_dir=Path(), limit=9)["facets"] == [
        "state", "type", "split", "style", "stage", "reason",
    ]  # fmt: skip


def test_many_long_texts_are_cut_shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_rows, "_TEXTS_BYTES", 5_000)
    rows = browsable(shown([sample(2, answer="x" * 9_000)]), run_dir=Path(), limit=9)
    assert rows["items"][0]["parts"][1]["text"].endswith("8,000 more characters in the dataset")


CONTAMINATION = {
    "benchmarks": [
        {"name": "Ex<am", "items": 7, "found": 1, "dropped_passages": 1, "dropped_samples": 0}
    ],
    "passages": [
        {"passage": "p", "source": "a.md", "benchmark": "Ex<am", "item": "Ex/3", "layer": "words",
         "overlap": 0.9, "excerpt": "<b>A gauge"}
    ],
    "samples": [],
}  # fmt: skip


def test_every_benchmark_item_that_was_found_is_told(tmp_path: Path) -> None:
    stats = statistics([], contamination=CONTAMINATION)
    text = page(write_report(stats, [], tmp_path, tmp_path))
    assert "<td>Ex&lt;am</td><td>7</td><td>1</td><td>1</td><td>0</td>" in text
    assert "<b>Ex/3</b> of Ex&lt;am in a.md, by words (0.90)<code>&lt;b&gt;A gauge</code>" in text


def test_without_benchmarks_the_page_says_so(tmp_path: Path) -> None:
    text = page(write_report(statistics([]), [], tmp_path, tmp_path))
    assert "not compared with any benchmark" in text


def test_the_variety_of_the_rows_is_told(tmp_path: Path) -> None:
    made = whole(tmp_path)
    text = page(write_report(made.stats, [], tmp_path, tmp_path))
    for name in ("self-BLEU", "compression ratio", "embedding dispersion", "clusters of wording"):
        assert f"<span>{name}; " in text


def test_splits_that_could_not_be_filled_are_told(tmp_path: Path) -> None:
    rows = [sample(n, split="train") for n in range(2)]
    text = page(write_report(statistics(rows), shown(rows), tmp_path, tmp_path))
    assert "too few rows to fill validation and test" in text


def test_a_page_of_2000_samples_with_long_texts_and_pictures_stays_under_40_mb(
    tmp_path: Path,
) -> None:
    # Noise is what WebP makes least of.
    noise = Image.effect_noise((480, 480), 90).convert("RGB")
    (tmp_path / "images").mkdir()
    pictures = []
    for n in range(40):
        pictures.append(f"images/{n}.png")
        noise.rotate(n).save(tmp_path / pictures[-1])
    long = "A gauge < & > " * 600
    samples = [
        sample(n, split="train", answer=long, code_context=long, image=pictures[n % 40])
        for n in range(2_100)
    ]
    path = write_report(statistics([]), shown(samples), tmp_path, tmp_path)
    assert len(data(page(path))["items"]) == 2_000
    assert path.stat().st_size < 40_000_000
