"""Every page and form somebody meets who follows each link from the navigation on; nothing is listed by hand."""

from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urljoin, urlsplit

from tests.reading import FormReader

EACH = 3  # addresses looked at for one route and one set of parameters; of files for one route


class PageReader(FormReader):
    """The forms, and the links besides: of anchors, and of parts the page fetches for itself."""

    def __init__(self, page: str) -> None:
        super().__init__(page)
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        at = dict(attrs)
        for name in ("href", "hx-get", "data-lookup"):
            if at.get(name) and tag != "link":
                self.links.append(urljoin(f"http://here{self.page}", at[name]))
        super().handle_starttag(tag, attrs)


@dataclass(frozen=True)
class Form:
    """A form as it stood on a page: where it leads, what is in it."""

    page: str
    path: str
    endpoint: str
    method: str
    form: dict = field(hash=False, compare=False)

    @property
    def names(self) -> list[str]:
        return sorted({*self.form["fields"], *self.form["choices"]})


class Crawl:
    """`get(path)` fetches as that person; `pages` are the addresses met, `forms` one of each kind met on them. `roughly`: it
    is enough to know a page with parameters and one without."""

    def __init__(self, app, get, start: tuple[str, ...] = ("/", "/account"), *, roughly: bool = False) -> None:
        self.routes, self.get, self.roughly = app.url_map.bind("here"), get, roughly
        self._files: set[str] = set()  # the routes of what is no page
        self.pages: dict[str, str] = {}
        self.shown: set[str] = set()  # those that are pages, not files or data
        self.forms: dict[tuple, Form] = {}
        self.broken: list[tuple[str, int]] = []
        self._met: Counter = Counter()
        self._waiting = list(start)
        while self._waiting:
            self._visit(self._waiting.pop(0))

    def _endpoint(self, path: str, method: str = "GET") -> str:
        try:
            return self.routes.match(path, method)[0]
        except Exception:
            return ""

    def _visit(self, address: str) -> None:
        parts = urlsplit(address)
        endpoint = self._endpoint(parts.path)
        names = frozenset(name for name, _value in parse_qsl(parts.query))
        kind = endpoint, None if endpoint in self._files else bool(names) if self.roughly else names
        if endpoint in ("", "static") or address in self.pages or self._met[kind] >= EACH:
            return
        self._met[kind] += 1
        answer = self.get(address)
        self.pages[address] = endpoint
        if answer.status_code >= 400:
            self.broken.append((address, answer.status_code))
        if answer.mimetype == "text/html":
            self.shown.add(address)
            self._read(parts.path, answer.text)
        elif answer.status_code == 200:
            self._files.add(endpoint)
        if answer.location:
            self._waiting.append(urljoin(f"http://here{parts.path}", answer.location).removeprefix("http://here"))

    def _read(self, page: str, text: str) -> None:
        reader = PageReader(page)
        reader.feed(text)
        here = [link for link in reader.links if link.startswith("http://here/")]
        self._waiting += [link.removeprefix("http://here").partition("#")[0] for link in here]
        for form in reader.forms:
            for path in sorted(form["actions"]):
                method = form["method"].upper()
                found = Form(page, path, self._endpoint(path, method), method, form)
                names = (*found.names, *form["files"])
                self.forms.setdefault((found.endpoint, method, names), found)
