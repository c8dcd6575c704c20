"""A draft's text: small changes leave comments and order as somebody wrote them, and it always says what was asked for."""

import difflib
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.duties import reading
from crm.rulebooks.text import Change, applied, changed, data_of, parts, value_at, with_part

TEXT = reading.shipped()
DATA = data_of(TEXT)
RULES, PENALTIES, CATEGORIES, FIELDS = (sorted(DATA[table]) for table in ("duty", "penalty", "category", "field"))
SPANS = st.sampled_from(["30m", "2 working days", "1 month"])
WORDS = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=30)
CHANGES = st.one_of(
    st.builds(lambda rule, name, span: Change(("duty", rule, name), span), st.sampled_from(RULES), st.sampled_from(["due", "warn", "show"]), SPANS),
    st.builds(lambda rule, name: Change(("duty", rule, name), None), st.sampled_from(RULES), st.sampled_from(["warn", "show", "fine", "ours"])),
    st.builds(lambda rule: Change(("duty", rule, "fine"), [{"clause": "7.4", "where": {"category": ["bug"], "channel": "qq"}}]), st.sampled_from(RULES)),
    st.builds(lambda key, fen: Change(("penalty", key, "fen"), fen), st.sampled_from(PENALTIES), st.integers(1, 10**6)),
    st.builds(lambda key, some: Change(("category", key, "before_complete"), some), st.sampled_from(CATEGORIES), st.lists(st.sampled_from(FIELDS), unique=True)),
    st.builds(lambda key, n: Change(("settings", key), n), st.sampled_from(sorted(reading.SETTINGS)), st.integers(1, 366)),
    st.builds(lambda key, part, words: Change(("clause", key, part), {"zh": words, "en": words}), st.sampled_from(sorted(DATA["clause"])), st.sampled_from(["text", "ours"]), WORDS),
    st.builds(lambda key, words: Change(("category", f"new_{key}"), {"title": {"zh": words, "en": words}, "clause": "5.1.3", "before_complete": []}), st.integers(0, 3), WORDS),
    st.builds(lambda key: Change(("penalty", f"3.11.{key}"), {"clause": "3.11", "kind": "warning", "title": {"zh": "警告", "en": "Warning"}}), WORDS.filter(bool)),
    st.just(Change(("hours", "open"), ["08:30-12:00", "13:00-17:30"])),
)  # fmt: skip


@pytest.mark.takes_long
@settings(max_examples=40, deadline=None)
@given(st.lists(CHANGES, max_size=6, unique_by=lambda change: change.path))
def test_the_text_says_what_was_asked_for_and_nothing_else_of_it_moves(changes):
    text = changed(TEXT, changes)
    assert tomllib.loads(text) == applied(DATA, changes)
    comments = [line for line in TEXT.splitlines() if line.startswith("#")]
    assert [line for line in text.splitlines() if line.startswith("#")] == comments
    touched = [line for line in difflib.ndiff(TEXT.splitlines(), text.splitlines()) if line[:2] in ("- ", "+ ")]
    assert len(touched) <= 8 * len(changes), "a change touches its own lines"


def test_what_is_remarked_beside_a_value_stays_beside_it():
    text = changed(TEXT, [Change(("settings", "bad_mark"), 3)])
    assert "bad_mark = 3            # ours.bad_mark: a mark as low as this goes to the manager" in text


def test_a_value_that_was_not_there_stands_with_its_table_and_not_below_the_next_heading():
    text = changed(TEXT, [Change(("field", "remaining", "clause"), "5.1.3"), Change(("field", "spare"), {"title": {"zh": "备用", "en": "Spare"}})])
    assert text.index("[field.spare]") < text.index("# ── 纸质表单")
    assert '"If nothing remains, say so."}\nclause = "5.1.3"\n' in text


def test_what_was_read_is_not_touched_by_planning_a_change():
    before = value_at(DATA, ("duty", "ticket.progress", "due"))
    assert applied(DATA, [Change(("duty", "ticket.progress", "due"), "1 month")])["duty"]["ticket.progress"]["due"] == "1 month"
    assert value_at(DATA, ("duty", "ticket.progress", "due")) == before
    assert value_at(DATA, ("duty", "nothing", "due")) is None


def test_the_parts_are_the_whole_and_one_may_be_written_anew():
    known = parts(TEXT)
    assert "".join(one.text for one in known) == TEXT and len(known) == 6
    assert known[1].title == {"zh": "记录填什么", "en": "What a record holds"}
    assert with_part(TEXT, 1, known[1].text.rstrip()) == TEXT
    assert with_part(TEXT, 1, known[1].text.replace("\n", "\r\n")) == TEXT
    assert parts(with_part(TEXT, 1, "# nothing"))[1].text == parts(TEXT)[2].text or "# nothing" in with_part(TEXT, 1, "# nothing")


@pytest.mark.parametrize("text", ["", "title = {zh = \"甲\", en = \"A\"}\n"])
def test_a_text_without_headings_is_one_part(text):
    assert [one.text for one in parts(text)] == [text]
