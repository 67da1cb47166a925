"""The page in a real browser: with scripts and without, light and dark, by keyboard, and offline."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from promote_actions.audit.events import events
from promote_actions.audit.record import Record, format_time
from promote_actions.audit.slo_report import slo_report
from promote_actions.config.model import Config
from promote_actions.matrix.charts import sections
from promote_actions.matrix.collect import Health, Questions, collect
from promote_actions.matrix.render_html import render
from tests.matrix.chromium import BINARY, Chromium
from tests.matrix.test_version_matrix import hostile_repository, many

AXE = Path(os.environ.get("AXE_CORE", "node_modules/axe-core/axe.min.js"))

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(BINARY is None, reason="no Chromium: apt-get install chromium"),
]

SHOWN = "[...document.querySelectorAll('#rows tr')].filter(row => !row.hidden).length"
FIRST = "document.querySelector('#rows tr th').textContent"
HEALTHS = ("Healthy", "Degraded", "Progressing", "Missing")


@pytest.fixture(scope="module")
def browser():
    """One browser for all tests."""
    with Chromium() as started:
        yield started


def charted(now):
    """The charts of a quarter of promotions."""
    records = []
    for number in range(60):
        end = now - timedelta(days=1.4 * number + 1)
        record = Record(
            "promotion", "nexo-be", f"2026.02.{number + 1}", "staging", "production", format_time(end), "a"
        )
        times = {"started_at": end - timedelta(minutes=30), "committed_at": end - timedelta(hours=30)}
        outcome = "failure" if number % 9 == 0 else "success"
        texts = {name: format_time(at) for name, at in times.items()}
        records.append(replace(record, outcome=outcome, finished_at=format_time(end), **texts))
    return sections(slo_report(records, Config(), now, [7, 28, 90]), events(records))


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A page of twelve services with every kind of health and drift, and one of attacks."""
    folder = tmp_path_factory.mktemp("pages")
    matrix = many(12)
    rows = tuple(
        replace(
            row,
            cells=tuple(
                replace(cell, health=HEALTHS[index % 4], sync="OutOfSync" if index % 5 == 0 else "Synced")
                for cell in row.cells
            ),
        )
        for index, row in enumerate(matrix.rows)
    )
    now = datetime.now(timezone.utc)
    (folder / "matrix.html").write_text(
        render(replace(matrix, rows=rows, generated_at=now)), encoding="utf-8"
    )
    parts = charted(now)
    (folder / "charts.html").write_text(render(replace(matrix, generated_at=now), parts), encoding="utf-8")
    (folder / "old.html").write_text(render(replace(matrix, rows=rows)), encoding="utf-8")
    repository = hostile_repository()
    asked = Questions(now, health=lambda _s, _e: Health("<i>|x", "<b>", "javascript:alert(5)"))
    attacked = collect(repository, repository.snapshot(), Config(), asked)
    (folder / "hostile.html").write_text(render(attacked), encoding="utf-8")
    return folder


@pytest.fixture
def opened(browser, pages):
    """The page with scripts; at the end nothing was complained of, and nothing was asked of a network."""
    browser.problems.clear()
    browser.open(pages / "matrix.html")
    yield browser
    assert browser.problems == []


def search(browser, words):
    """Type into the search."""
    type_it = f"(box => {{ box.value = '{words}'; box.dispatchEvent(new Event('input')); }})"
    browser.ask(f"{type_it}(document.getElementById('search'))")


def test_searching_hides_what_does_not_fit(opened):
    """Every word must fit; the count says how many do; nothing found says so."""
    assert opened.ask(SHOWN) == 12
    search(opened, "SERVICE-00 07")
    assert opened.ask(SHOWN) == 1
    assert opened.ask("document.getElementById('count').textContent") == "1 of 12 services"
    search(opened, "nothing of the kind")
    assert opened.ask("document.getElementById('empty').hidden") is False


def test_filters_and_the_address_that_keeps_them(opened, pages):
    """What is chosen is in the address, and the address chooses it again."""
    choose = "(box => { box.value = 'unhealthy'; box.dispatchEvent(new Event('change')); })"
    opened.ask(f"{choose}(document.getElementById('only'))")
    unhealthy = opened.ask(SHOWN)
    assert 0 < unhealthy < 12
    fragment = opened.ask("location.hash")
    assert "only=unhealthy" in fragment
    opened.open(pages / "matrix.html", fragment=fragment)
    assert opened.ask(SHOWN) == unhealthy


def test_sorting_by_keyboard(opened):
    """A heading is a button: Enter sorts by it, and says so to screen readers."""
    assert opened.ask(FIRST) == "service-0011"
    opened.ask("document.querySelector('th[data-key=name] button').focus()")
    opened.press("Enter")
    assert opened.ask(FIRST) == "service-0000"
    assert opened.ask("document.querySelector('th[data-key=name]').ariaSort") == "ascending"
    opened.press("Enter")
    assert opened.ask(FIRST) == "service-0011"


def test_every_control_is_reached_by_tab(opened):
    """From the top of the page: its links, search, filter, both buttons, then the headings."""
    seen = []
    for _ in range(8):
        opened.press("Tab")
        seen.append(opened.ask("document.activeElement.id || document.activeElement.textContent"))
    assert seen == [
        "nexo-org/nexo-gitops",
        "0000000",
        "search",
        "only",
        "csv",
        "json",
        "Service",
        "develop",
    ]


def test_without_scripts_everything_is_there(browser, pages):
    """Rows, histories and drift are in the page itself; controls that would do nothing are not shown."""
    browser.problems.clear()
    browser.open(pages / "matrix.html", scripts=False)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.ask(SHOWN) == 12
    assert browser.ask("document.getElementById('tools').hidden") is True
    assert "behind develop" in browser.ask("document.querySelector('#rows tr').textContent")
    assert browser.problems == []


def test_charts_say_in_words_what_they_draw(browser, pages):
    """Each picture has a name for screen readers, and its numbers as text."""
    browser.problems.clear()
    browser.open(pages / "charts.html")
    labels = browser.ask(
        "[...document.querySelectorAll('figure svg')].map(each => each.getAttribute('aria-label'))"
    )
    assert [label.partition(":")[0] for label in labels] == [
        "Promotion objectives, 28 days",
        "Deployments to production by week",
        "Lead time to production by week",
    ]
    text = browser.ask("document.querySelector('main').innerText")
    assert "DORA measures of production" in text
    assert "30h" in browser.ask("document.querySelectorAll('figure')[2].textContent")
    assert browser.problems == []


def test_an_old_page_says_that_it_is_old(browser, pages):
    """What was true a month ago may look true today."""
    browser.open(pages / "old.html")
    assert "what runs now may differ" in browser.ask("document.getElementById('stale').textContent")


def test_attacks_run_nothing(browser, pages):
    """No alert, no request, no element of a stranger's, and the texts are there to read."""
    browser.problems.clear()
    browser.open(pages / "hostile.html")
    assert browser.ask("document.querySelectorAll('img, iframe, i, main b:not(.tile b), td b').length") == 0
    assert "<script>alert(2)</script>" in browser.ask("document.querySelector('.version').textContent")
    assert browser.ask("[...document.links].every(link => /^https?:/.test(link.href))") is True
    assert browser.problems == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("page", ["matrix.html", "hostile.html", "charts.html"])
def test_axe_finds_nothing(browser, pages, dark, page):
    """axe-core, contrast included, with every history open."""
    if not AXE.is_file():
        pytest.skip("no axe-core: npm install axe-core, or set AXE_CORE to axe.min.js")
    browser.open(pages / page, dark=dark)
    browser.ask("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    browser.ask(AXE.read_text(encoding="utf-8") + ";1")
    found = browser.ask(
        "axe.run().then(done => done.violations.map(each => [each.id, each.nodes[0].html]))"
    )
    assert found == []
