"""The report as a person sees it, in a headless Chromium.

Screenshots are kept in the folder that SYNTH_SCREENSHOTS names, else among pytest's own files.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from synth_dspy.dataset.report import write_report
from synth_dspy.dataset.row_statistics import row_statistics
from synth_dspy.dataset.show_conversations import show_conversation
from synth_dspy.dataset.statistics import statistics
from tests.dataset import browser
from tests.dataset.made import sample
from tests.dataset.test_report import EVIL, REJECTED
from tests.dataset.whole import shown, whole

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not browser.found(), reason="no Chromium: apt-get install -y chromium"),
]

ROWS = "document.querySelectorAll('#list .row').length"
DETAIL = "document.querySelector('#detail').innerText"


def look(file: Path, see: Callable[[browser.Page], Awaitable[Any]], *, dark: bool = False) -> Any:
    async def go() -> Any:
        async with browser.opened(file, dark=dark) as page:
            seen = await see(page)
            assert page.errors == []
            assert [url for url in page.requests if not url.startswith(("file:", "data:"))] == []
            return seen

    return asyncio.run(go())


def choose(field: str, value: str) -> str:
    return (
        f"(() => {{ const s = document.querySelector('[data-field={field}]'); s.value = '{value}';"
        " s.dispatchEvent(new Event('change')); return true; })()"
    )


@pytest.fixture
def report(tmp_path: Path) -> Path:
    made = whole(tmp_path)
    return write_report(made.stats, made.shown, tmp_path, tmp_path, name="Notes")


KEY = (
    "document.activeElement.dispatchEvent("
    "new KeyboardEvent('keydown', {{key: '{}', bubbles: true}}))"
)


def screenshots(tmp_path: Path) -> Path:
    return Path(os.environ.get("SYNTH_SCREENSHOTS") or tmp_path / "screenshots")


def test_filters_narrow_the_list_and_clear_brings_it_back(report: Path) -> None:
    async def see(page: browser.Page) -> list[int]:
        counts = [await page.run(ROWS)]
        for field, value in (("type", "qa"), ("split", "test"), ("state", "rejected")):
            await page.run(choose(field, value))
            counts.append(await page.run(ROWS))
        await page.run("document.querySelector('.clear').click()")
        counts.append(await page.run(ROWS))
        return counts

    first, qa, qa_test, rejected_qa_test, cleared = look(report, see)
    assert qa == 20
    assert 0 < qa_test < qa
    assert rejected_qa_test == 0
    assert first == cleared == 60


def test_a_rejected_sample_says_why(report: Path) -> None:
    async def see(page: browser.Page) -> str:
        await page.run(choose("reason", "weak_tests"))
        return str(await page.run(DETAIL))

    text = look(report, see)
    assert "weak tests, in answer" in text
    assert "AssertionError: expected 1" in text


def test_a_rejected_sample_shows_every_report_it_got(report: Path, tmp_path: Path) -> None:
    async def see(page: browser.Page) -> str:
        await page.run(choose("state", "rejected"))
        await page.run("document.querySelector('.why-not summary').click()")
        await page.wait_for("document.querySelectorAll('.errors li').length === 2")
        await page.run("location.hash = '#samples'")
        await asyncio.sleep(0.6)
        await page.screenshot(screenshots(tmp_path) / "report-rejected.png")
        return str(await page.run("document.querySelector('.errors').innerText"))

    text = look(report, see)
    assert text.index("SyntaxError in attempt 0") < text.index("AssertionError: expected 0")


def test_the_list_is_walked_by_keys(report: Path) -> None:
    chosen = "document.querySelector('#list [aria-selected=true]').dataset.index"
    focus = "document.activeElement.id"

    async def see(page: browser.Page) -> list[str]:
        await page.run("document.querySelector('#list').focus()")
        seen = []
        for key in ("ArrowDown", "ArrowDown", "ArrowUp", "End", "Home"):
            await page.run(KEY.format(key))
            seen.append(await page.run(chosen))
        for key in ("Enter", "Escape", "/"):
            await page.run(KEY.format(key))
            seen.append(await page.run(focus))
        return seen

    assert look(report, see) == ["1", "2", "1", "73", "0", "detail", "list", "find"]


@pytest.mark.parametrize("width", [800, 1280])
def test_nothing_is_wider_than_the_window(report: Path, tmp_path: Path, width: int) -> None:
    async def see(page: browser.Page) -> int:
        await page.resize(width, 1000)
        await page.screenshot(screenshots(tmp_path) / f"report-{width}.png")
        return int(await page.run("document.documentElement.scrollWidth"))

    assert look(report, see) <= width


def test_a_conversation_is_shown_as_bubbles(tmp_path: Path) -> None:
    said = [("user", "How much rain?"), ("assistant", "It was `0.6` mm."), ("user", "Thanks.")]
    messages = [{"role": role, "content": content} for role, content in said]
    facets = {"type": "dialogue", "persona": "farmer", "split": "train"}
    rows = [show_conversation(f"c{n}", messages, facets=facets, metadata={}) for n in range(3)]
    path = write_report(row_statistics(rows), rows, tmp_path, tmp_path, name="Dialogues")
    bubbles = (
        "[...document.querySelectorAll('#detail .turn')].map((t) => [t.className, t.innerText])"
    )

    async def see(page: browser.Page) -> list[list[str]]:
        await page.run("location.hash = '#samples'")
        await asyncio.sleep(0.6)
        await page.screenshot(screenshots(tmp_path) / "report-conversation.png")
        return list(await page.run(bubbles))

    shown = look(path, see)
    assert [kind for kind, _ in shown] == ["turn user", "turn other", "turn user"]
    assert [text.split() for _, text in shown][1] == ["assistant", "It", "was", "0.6", "mm."]


def test_search_finds_a_sample_by_its_words(report: Path, tmp_path: Path) -> None:
    wanted = whole(tmp_path).samples[7]

    async def see(page: browser.Page) -> list[Any]:
        await page.run(
            "(() => { const f = document.querySelector('#find');"
            f" f.value = '{wanted.entry_point}';"
            " f.dispatchEvent(new Event('input')); return true; })()"
        )
        await page.wait_for(f"{ROWS} === 1")
        return [await page.run(DETAIL)]

    assert wanted.entry_point in look(report, see)[0]


def test_a_sample_with_an_image_opens_with_its_provenance(report: Path, tmp_path: Path) -> None:
    async def see(page: browser.Page) -> list[Any]:
        await page.run(choose("modality", "multimodal"))
        await page.run("document.querySelectorAll('#list .row')[1].click()")
        await page.wait_for("document.querySelector('#detail .picture').complete")
        width = await page.run("document.querySelector('#detail .picture').naturalWidth")
        await page.run("document.querySelector('#detail details:last-child summary').click()")
        await page.wait_for("document.querySelectorAll('#detail .facts').length > 2")
        await page.run("location.hash = '#samples'")
        await asyncio.sleep(0.6)
        await page.screenshot(screenshots(tmp_path) / "report-samples.png")
        return [width, await page.run(DETAIL)]

    width, text = look(report, see)
    assert width == 160
    assert "unverified (caption only)" in text
    assert "mutants killed" in text


@pytest.mark.parametrize("dark", [False, True])
def test_it_follows_the_theme_of_the_system_and_the_button(
    report: Path, tmp_path: Path, dark: bool
) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"

    async def see(page: browser.Page) -> list[str]:
        before = str(await page.run(ground))
        name = "dark" if dark else "light"
        await page.screenshot(screenshots(tmp_path) / f"report-{name}.png")
        await page.run("document.querySelector('#theme').click()")
        return [before, str(await page.run(ground))]

    light, black = "rgb(246, 247, 249)", "rgb(15, 18, 22)"
    assert look(report, see, dark=dark) == ([black, light] if dark else [light, black])


def test_what_a_sample_holds_never_runs(tmp_path: Path) -> None:
    fields = ("question", "answer", "category", "test_code", "entry_point", "code_context")
    evil = sample(2, split="train", **dict.fromkeys(fields, EVIL), source=EVIL)
    stats = statistics([evil], stage_summaries={EVIL: {"in": 1, "out": 1}}, rejected=[REJECTED])
    path = write_report(stats, shown([evil], [REJECTED]), tmp_path, tmp_path, name="Safe")

    async def see(page: browser.Page) -> list[Any]:
        for row in (1, 0):
            await page.run(f"document.querySelectorAll('#list .row')[{row}].click()")
            await page.run("document.querySelectorAll('#detail summary').forEach((s) => s.click())")
        return [
            await page.run("document.title"),
            await page.run("document.scripts.length"),
            await page.run("document.querySelectorAll('#detail img, #list img').length"),
            await page.run(DETAIL),
        ]

    title, scripts, images, text = look(path, see)
    assert (title, scripts, images) == ("Safe", 2, 0)
    assert "document.title='owned'" in text
