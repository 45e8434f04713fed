import re
import xml.etree.ElementTree as ElementTree

import pytest

from pipeline.report.charts import error_bars, svg

pytestmark = pytest.mark.usefixtures("real_plots")


def plot(salt="one", title='A <title> & "more"'):
    points = (
        error_bars.Point(0.5, 0.4, 0.7),
        error_bars.Point(),
        error_bars.Point(0.2, 0.3, 0.1),
    )
    series = error_bars.Series(points)
    panel = error_bars.Panel("Panel", "axis <x>", ("a", "b & c", "d"), (series,))
    return error_bars.side_by_side([panel], title, salt)


def test_the_same_figure_gives_the_same_bytes():
    assert plot() == plot()


def test_users_own_matplotlib_style_changes_nothing():
    import matplotlib

    plain = plot()
    with matplotlib.rc_context({"xtick.direction": "in", "font.size": 30}):
        assert plot() == plain


def test_it_is_well_formed_and_titled():
    root = ElementTree.fromstring(plot())
    assert root.find("title").text == 'A <title> & "more"'
    assert root.get("aria-label") == 'A <title> & "more"'
    assert root.get("viewBox")
    assert root.get("width") is None
    texts = [element.text for element in root.iter("text")]
    assert "b & c" in texts
    assert "axis <x>" in texts


def test_nothing_is_fetched_and_no_time_or_program_is_named():
    text = plot().lower()
    assert "http" not in text
    assert "matplotlib" not in text
    assert "<metadata" not in text


def test_colours_are_the_pages():
    text = plot()
    assert "var(--model)" in text
    assert not set(re.findall(r"#[0-9a-f]{6}", text)) & {
        svg.INK, svg.MUTED, svg.GRID, svg.MODEL
    }  # fmt: skip
    # What is left must not be a colour of matplotlib's own.
    assert set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", text)) == set()


def test_ids_do_not_repeat_over_figures():
    ids = re.findall(r' id="([^"]*)"', plot("one") + plot("two"))
    assert len(ids) == len(set(ids))
    used = set(re.findall(r'(?:href="#|url\(#)([^")]*)', plot("one")))
    assert used <= set(ids)


def test_a_missing_point_is_not_drawn():
    root = ElementTree.fromstring(plot())
    markers = [e for e in root.iter("use") if "fill" in (e.get("style") or "")]
    drawn = [e for e in markers if "var(--model)" in e.get("style")]
    heights = {round(float(e.get("y")), 1) for e in drawn}
    assert len(heights) == 2


def test_a_file_of_its_own_has_its_namespace_and_its_colours():
    root = ElementTree.fromstring(svg.standalone(plot()))

    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    (style,) = root.findall("{*}style")
    used = set(re.findall(r"var\((--[a-z-]+)\)", svg.standalone(plot())))
    assert used
    assert all(f"{name}: #" in style.text for name in used)
