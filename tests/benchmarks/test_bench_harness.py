"""The benchmarks' own arithmetic, meter, page and picture."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.harness import Contestant, Cost, Failure, Meter, Run, environment, in_process, interleave
from benchmarks.picture import Bar, draw
from benchmarks.rows.editing import changed_unasked, values_of


@pytest.fixture
def meter(tmp_path: Path) -> Iterator[Meter]:
    (tmp_path / "gitconfig").touch()
    with Meter(environment(tmp_path, tmp_path)) as running:
        yield running


def test_a_command_is_measured_with_its_children(meter: Meter) -> None:
    """Processor time and the largest process count, though a child used them; what it said is kept."""
    work = "x = bytearray(60_000_000); sum(range(2_000_000)); print('done')"
    cost = meter.run(Run(["sh", "-c", f'"{sys.executable}" -I -S -c "$0"; exit 0', work]))
    assert cost.said == "done\n"
    assert cost.cpu > 0.005
    assert cost.peak > 60
    assert cost.wall > 0


def test_commands_at_once_overlap(meter: Meter) -> None:
    """What is started together runs together, each with its own status."""
    runs = [Run(["sh", "-c", f"sleep 0.4; exit {n}"], may_fail=True) for n in range(4)]
    found = meter.together(runs)
    assert [cost.status for cost in found.runs] == [0, 1, 2, 3]
    assert found.wall < sum(cost.wall for cost in found.runs)


def test_a_failed_command_is_no_number(meter: Meter) -> None:
    """Its words are the failure, and the meter goes on."""
    with pytest.raises(Failure, match="ended with 3: why"):
        meter.run(Run(["sh", "-c", "echo why; exit 3"]))
    assert meter.run(Run(["true"])).status == 0


def test_a_command_that_never_ends_is_killed(meter: Meter) -> None:
    """The deadline ends it and what it has started."""
    with pytest.raises(Failure, match="longer than"):
        meter.run(Run(["sh", "-c", "sleep 60 & sleep 60"]), deadline=0.3)
    assert meter.run(Run(["true"])).status == 0


def test_rounds_turn_and_the_first_does_not_count() -> None:
    """Every contestant runs in each round, begins in turn, and the warm-up is left out of the median."""
    order = []

    def entrant(name: str, walls: list[float]) -> Contestant:
        def run(number: int) -> Cost:
            order.append(name)
            return Cost(walls[number], cpu=1, peak=2)

        return Contestant(name, run)

    found = interleave([entrant("a", [99, 3, 1, 2]), entrant("b", [99, 5, 5, 5])], rounds=3)
    assert order == ["a", "b", "b", "a", "a", "b", "b", "a"]
    assert (found["a"].wall, found["a"].fastest, found["a"].slowest, found["a"].rounds) == (2, 1, 3, 3)
    assert found["b"].wall == 5


def test_work_in_this_process_is_repeated() -> None:
    """Something short is done often enough to be measured."""
    done: list[int] = []
    cost = in_process(lambda: done.append(1), least=0.01)
    assert len(done) > 10
    assert cost.wall < 0.01


@pytest.mark.parametrize(
    ("value", "said"), [(0.0000123, "12.3 µs"), (0.0456, "45.6 ms"), (1.5, "1.50 s"), (1234.0, "1,234 s")]
)
def test_times_for_people(value: float, said: str) -> None:
    """Three figures at most."""
    assert report.seconds(value) == said


@pytest.mark.parametrize(
    ("theirs", "ours", "said"), [(1.0, 2.0, "0.50×"), (9.0, 2.0, "4.5×"), (500.0, 2.0, "250×")]
)
def test_ratios(theirs: float, ours: float, said: str) -> None:
    """Above one: they take longer."""
    assert report.times(theirs, ours) == said


def test_what_nobody_asked_to_change() -> None:
    """The tag's own line doesn't count; a lost blank line and a changed one do, with both their sizes."""
    before = b"# c\n\nimage:\n  tag: 1 # x\nlist:\n- a\n"
    assert changed_unasked(before, before.replace(b"tag: 1", b"tag: 2")) == 0
    assert changed_unasked(before, b"# c\nimage:\n  tag: 2\nlist:\n  - a\n") == len(b"\n- a\n  - a\n")


@pytest.mark.parametrize("lines", [50, 5000])
def test_the_values_files_have_the_size_they_say(lines: int) -> None:
    """So many lines, in YAML that our fast way takes."""
    from promote_actions.promotion.scan import scan

    text = values_of(lines).decode()
    assert text.count("\n") == lines
    assert scan(text, ["image", "tag"]) is not None


def test_the_page_is_written_between_its_markers(tmp_path: Path) -> None:
    """What people wrote around the markers stays; a second run replaces the first."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    table = report.Table(["", "wall"], [["ours", "1 ms"]], "A table")
    section = report.Section("Start-up", "Words.", [table], [Bar("a <b> & c", 12.5)], ["a note"])
    for _ in range(2):
        report.write(page, [section], {"git": "2"}, quick=True)
    text = page.read_text()
    assert text.startswith(f"before\n{report.BEGIN}\n![")
    assert text.endswith(f"{report.END}\nafter\n")
    assert "old" not in text
    assert text.count("| ours | 1 ms |") == 1
    assert "--quick" in text
    assert "12.5×" in (tmp_path / "page.svg").read_text()


def test_a_page_without_markers_is_left_alone(tmp_path: Path) -> None:
    """Nothing is overwritten."""
    page = tmp_path / "page.md"
    page.write_text("mine\n")
    with pytest.raises(ValueError, match="markers"):
        report.write(page, [], {}, quick=False)
    assert page.read_text() == "mine\n"


@pytest.mark.parametrize("ratios", [[], [1.0], [0.3, 1.0, 7.0, 12_345.0]])
def test_the_picture_is_well_formed(ratios: list[float]) -> None:
    """A bar for each ratio, inside the picture, described in words as well."""
    bars = [Bar(f'<{ratio}> & "more"', ratio) for ratio in ratios]
    picture = ET.fromstring(draw(bars))
    width = float(picture.attrib["width"])
    space = "{http://www.w3.org/2000/svg}"
    drawn = [each for each in picture.iter(f"{space}rect") if each.attrib["class"] in ("ahead", "behind")]
    assert [each.attrib["class"] for each in drawn] == [
        "ahead" if each >= 1 else "behind" for each in ratios
    ]
    for each in drawn:
        assert 0 <= float(each.attrib["x"]) <= float(each.attrib["x"]) + float(each.attrib["width"]) < width
    described = picture.find(f"{space}desc")
    assert described is not None
    assert all(f"<{ratio}>" in (described.text or "") for ratio in ratios)
