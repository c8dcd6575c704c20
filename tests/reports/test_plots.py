"""A plot says what its table says: each bar and point in the colour of its key, as long as its value."""

import re

import pytest
from flask import current_app

from crm.labels import N_
from crm.reports.layout import As, Column, Plot, Table

MARKS = (Column("attitude", N_("Attitude"), As.MARK), Column("skill", N_("Skill"), As.MARK), Column("result", N_("Result"), As.MARK))
BAR = re.compile(r'<rect class="plot-bar plot-bar-(\d)" [^>]*?y="([\d.]+)" width="([\d.]+)"[^>]*><title>([^<]*)</title>')
POINT = re.compile(r'<circle class="plot-bar-(\d)" cx="([\d.]+)" cy="([\d.]+)" r="3.5"><title>([^<]*)</title>')


@pytest.fixture(autouse=True)
def page(app):
    with app.test_request_context("/", headers={"Accept-Language": "en"}):
        yield


def drawn(macro: str, *args) -> str:
    module = current_app.jinja_env.get_template("_plot.html").make_module(current_app.jinja_env.globals)
    return str(getattr(module, macro)(*args))


def table(columns, plot=Plot.BARS) -> Table:
    return Table("rows", N_("Marks"), (Column("name", N_("Product"), As.WORDS), *columns), tuple(column.key for column in columns), plot)


def test_a_bar_has_its_colour_and_place_though_one_before_it_is_missing():
    rows = [{"name": "财务通", "attitude": None, "skill": 4.0, "result": 2.5}]
    assert BAR.findall(drawn("columns_drawn", table(MARKS), rows)) == [
        ("2", "20", "184.0", "财务通 Skill 4.00"), ("3", "34", "115.0", "财务通 Result 2.50")]  # fmt: skip
    old = drawn("bars", rows_with_names(rows), [(column.key, column.label) for column in MARKS], "Marks")
    assert [(colour, said) for colour, _y, _wide, said in BAR.findall(old)] == [("2", "财务通 Skill 4.00"), ("3", "财务通 Result 2.50")]


def rows_with_names(rows):
    return [type("Line", (dict,), {"name": row["name"]})(row) for row in rows]


def test_counts_are_measured_by_the_largest():
    counts = (Column("records", N_("Records")), Column("visits", N_("Visits and trips")))
    rows = [{"name": "张伟", "records": 46, "visits": 0}, {"name": "李娜", "records": 23, "visits": 46}]
    assert [(colour, wide) for colour, _y, wide, _said in BAR.findall(drawn("columns_drawn", table(counts), rows))] == [
        ("1", "230.0"), ("2", "0.0"), ("1", "115.0"), ("2", "230.0")]  # fmt: skip


def test_no_rows_and_nothing_but_noughts_are_drawn_too():
    counts = (Column("records", N_("Records")),)
    for macro in ("columns_drawn", "columns_over_time"):
        assert "<svg" in drawn(macro, table(counts), []) and "<svg" in drawn(macro, table(counts), [{"name": "2026-11", "records": 0}])


def test_a_line_over_time_is_broken_where_a_month_has_none():
    rows = [{"name": f"2026-{month:02}", "attitude": mark} for month, mark in ((7, 5.0), (8, 4.0), (9, None), (10, 3.0), (11, 2.0))]
    svg = drawn("columns_over_time", table(MARKS[:1], Plot.TREND), rows)
    assert [(x, y) for _colour, x, y, _said in POINT.findall(svg)] == [("44.0", "12.0"), ("129.0", "44.0"), ("299.0", "76.0"), ("384.0", "108.0")]
    lines = re.findall(r'plot-trend-1" x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)"', svg)
    assert lines == [("44.0", "12.0", "129.0", "44.0"), ("299.0", "76.0", "384.0", "108.0")]


def test_its_axis_ends_in_whole_numbers():
    rows = [{"name": "2026-10", "records": 62}, {"name": "2026-11", "records": 3}]
    svg = drawn("columns_over_time", table((Column("records", N_("Records")),), Plot.TREND), rows)
    assert re.findall(r'plot-name" [^>]*>(\d+)<', svg) == ["0", "13", "26", "39", "52", "65"]


def test_the_names_of_things_are_escaped():
    rows = [{"name": "<b>&", "records": 1}]
    svg = drawn("columns_drawn", table((Column("records", N_("Records")),)), rows)
    assert "<b>" not in svg and "&lt;b&gt;&amp;" in svg
