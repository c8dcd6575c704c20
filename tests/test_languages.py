"""Both languages are complete, and neither leaks into the other."""

import ast
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from crm.duties import reading

ROOT = Path(__file__).parents[1]
CATALOGUES = {name: ROOT / f"crm/translations/{name}/LC_MESSAGES/messages.po" for name in ("zh_Hans_CN", "en")}


@pytest.fixture(scope="module")
def texts() -> set:
    """Every text of code and pages, as `make translations` collects them."""
    keywords = {"_": None, "gettext": None, "N_": None, "_l": None, "lazy_gettext": None, "ngettext": (1, 2)}
    found = set()
    for folder, method in (("crm", "python"), ("templates", "jinja2")):
        ending = "**.py" if method == "python" else "**.html"
        rows = extract_from_dir(
            str(ROOT / folder), [(ending, method)], {ending: {"trimmed": "true"}}, keywords=keywords
        )
        found |= {message[2] for message in rows}
    return found


def catalogue(name: str) -> Catalog:
    with CATALOGUES[name].open("rb") as file:
        return read_po(file, locale=name)


@pytest.mark.parametrize("name", CATALOGUES)
def test_every_text_stands_in_the_catalogue_and_no_stale_one_does(name, texts):
    known = {message.id for message in catalogue(name) if message.id}
    assert known == texts, {"missing": texts - known, "stale": known - texts}


def test_no_text_stands_where_it_is_not_collected(texts):
    """Such as in the braces of a formatted string, into which the collector does not look."""
    called = [
        (file.name, node.lineno, node.args[0].value)
        for file in (ROOT / "crm").rglob("*.py") for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("_", "_l", "N_", "gettext", "ngettext")
        and node.args and isinstance(node.args[0], ast.Constant)
    ]  # fmt: skip
    assert len(called) > 1000 and [one for one in called if one[2] not in {id if isinstance(id, str) else id[0] for id in texts}] == []


def test_every_text_is_translated_into_chinese():
    missing = [message.id for message in catalogue("zh_Hans_CN") if message.id and not all(
        [message.string] if isinstance(message.string, str) else message.string)]  # fmt: skip
    assert not missing, f"{len(missing)}: {missing[:20]}"


def test_a_translation_keeps_the_names_it_is_given():
    for message in catalogue("zh_Hans_CN"):
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = [message.string] if isinstance(message.string, str) else message.string
        wanted = set(re.findall(r"%\((\w+)\)s", ids[-1]))
        assert all(set(re.findall(r"%\((\w+)\)s", one)) == wanted for one in strings if one), message.id


def test_chinese_is_written_with_its_own_punctuation():
    for message in catalogue("zh_Hans_CN"):
        for text in [message.string] if isinstance(message.string, str) else message.string:
            assert not re.search(r"[\u4e00-\u9fff][,;:!?](?:\s|$|[\u4e00-\u9fff])", text), text


def test_one_thing_is_called_by_one_word():
    said = [str(message.string) for message in catalogue("zh_Hans_CN")]
    assert not [text for text in said if "岗位" in text], "a role is a 角色"
    assert catalogue("zh_Hans_CN")["Log the record"].string != catalogue("zh_Hans_CN")["New service record"].string


def test_the_rulebook_says_everything_in_both_languages():
    book = reading.read(reading.shipped())
    for entries in (book.clauses, book.rules, book.categories, book.fields, book.penalties, book.chapters):
        for entry in entries.values():
            assert re.search(r"[\u4e00-\u9fff]|QQ|BUG", entry.title["zh"]), entry.key
            assert not re.search(r"[\u4e00-\u9fff]", entry.title["en"]), entry.key


PAGES = ("/", "/tickets", "/tickets/new", "/customers", "/customers/new", "/installations", "/duties", "/rulebook",
         "/account", "/account/password")  # fmt: skip
KNOWN = {
    "QQ",
    "BUG",
    "PDF",
    "Office",
    "MB",
    "Enter",
    "Ctrl",
    "English",
    "JSON",
    "K",
    "T",
    "D",
    "ERP",
    "CRM",
    "D1",
    "D2",
    "D5",
}


def words_of(html: str) -> set[str]:
    """The Latin words a reader sees: no markup, no attributes but those that are read."""
    seen = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.S)
    said = " ".join(re.findall(r'(?:aria-label|title|placeholder)="([^"]*)"', seen))
    text = re.sub(r"<[^>]+>", " ", seen) + " " + said
    return set(re.findall(r"\b[A-Za-z][A-Za-z]+\b", text)) - KNOWN


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_english_on_a_chinese_page(browser):
    page = browser("manager", "zh-CN")
    for path in PAGES:
        answer = page.get(path)
        assert answer.status_code == 200
        assert 'lang="zh-CN"' in answer.text
        assert not words_of(answer.text) - {"specialist", "manager", "director", "followup"}, path


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_browser_decides_until_the_reader_chooses(browser):
    page = browser("specialist", "en")
    assert 'lang="en"' in page.get("/").text
    page.send("/language", page="/", language="zh_Hans_CN", back="/")
    assert 'lang="zh-CN"' in page.get("/").text
    assert 'lang="zh-CN"' in browser("specialist", "en").get("/").text, "the choice belongs to the person"
