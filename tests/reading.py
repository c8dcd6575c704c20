"""Reads the forms of a page, as a browser would send them untouched."""

import html
import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit


class FormReader(HTMLParser):
    """`forms`: for each its `method`, the `actions` its buttons lead to, its `fields` with their values, its `files`."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.forms, self._select, self._area = page, [], None, None
        self.loose: dict = {}  # fields before their form: its id → (name, attributes)

    def _path(self, action: str | None) -> str:
        return urlsplit(urljoin(f"http://here{self.page}", action or self.page)).path

    def handle_starttag(self, tag: str, attrs: list) -> None:
        at = dict(attrs)
        if tag == "form":
            method = at.get("method", "get")
            actions = {self._path(at.get("action"))} if method != "dialog" else set()  # a dialog's leads nowhere
            self.forms.append({"method": method, "actions": actions,
                               "id": at.get("id"), "fields": {}, "files": [], "choices": {}})  # fmt: skip
            for name, loose in self.loose.pop(at.get("id"), []):
                self._input(self.forms[-1], name, loose)
        if at.get("form"):  # a field that stands outside of its form
            self._elsewhere(at)
            return
        if not self.forms:
            return
        form, name = self.forms[-1], at.get("name")
        if at.get("formaction"):
            form["actions"].add(self._path(at["formaction"]))
        if tag == "input" and name:
            self._input(form, name, at)
        elif tag == "select" and name:
            self._select = name
            form["choices"][name] = []
            form["fields"].setdefault(name, "")
        elif tag == "textarea" and name:
            self._area = name
            form["fields"][name] = ""
        elif tag == "option" and self._select:
            form["choices"][self._select].append(at.get("value", ""))
            if "selected" in at:
                form["fields"][self._select] = at.get("value", "")

    def _elsewhere(self, at: dict) -> None:
        form = next((one for one in self.forms if one["id"] == at["form"]), None)
        if form:
            self._input(form, at.get("name"), at)
        else:
            self.loose.setdefault(at["form"], []).append((at.get("name"), at))

    def _input(self, form: dict, name: str, at: dict) -> None:
        kind = at.get("type", "text")
        if kind == "file":
            form["files"].append(name)
        elif kind in ("checkbox", "radio"):
            form["choices"].setdefault(name, []).append(at.get("value", "y"))
            if "checked" in at:
                value, old = at.get("value", "y"), form["fields"].get(name)
                form["fields"][name] = (
                    value if kind == "radio" or old is None else [*([old] if isinstance(old, str) else old), value]
                )  # noqa: E501
        elif kind not in ("submit", "button"):
            form["fields"][name] = at.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area and self.forms:
            self.forms[-1]["fields"][self._area] += data


def text_of(page: str) -> str:
    """What a page says, without its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())
