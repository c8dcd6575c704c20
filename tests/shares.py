"""What of the tests a run takes: each case on one of the databases in turns, and of a whole run one day's share of what takes long."""

import os
import zlib
from collections import Counter
from datetime import date

import pytest

REQUIRED = set(os.environ.get("CRM_TEST_REQUIRE", "").replace(",", " ").split())
DATABASES = ["sqlite", "postgresql"]
ALL = os.environ.get("CRM_NETS") == "all"  # `make nets`
TURNS = not ALL and os.environ.get("CRM_TURNS") != "none"  # `make mutants` looks at one database, at every case
os.environ.setdefault("CRM_DAY", str(date.today().toordinal()))  # which share; the same in every process of a run
DAY, WHOLE, DAYS = int(os.environ["CRM_DAY"]), 2000, 6  # of so many days each takes another share of what takes long
SHARED_NETS = {"test_moves.py", "test_matrix.py", "test_once.py"}
BOTH = {"nets", "duties", "durable", "browser", "test_once.py", "test_search.py", "test_migrations.py", "test_languages.py"}
# for whole files of real data, which take long: PostgreSQL's turn is in `make nets`, where small ones go through both always
LARGE = DATABASES if ALL else DATABASES[:1]
_whole_run = False


def by_turns(n: int):
    """For a long test of which both databases are in `make nets`: here the n-th takes one, its neighbour the other."""
    return pytest.mark.parametrize("database", DATABASES if ALL else [DATABASES[n % 2]], indirect=True)


def leave_out(what: str, why: str) -> None:
    """Skip, unless the machine is required to have it."""
    if what in REQUIRED:
        pytest.fail(f"{what} is required here: {why}")
    pytest.skip(f"{what}: {why}")


def chosen(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """What is run and what is left. A test of many cases goes through them on the two databases in turns; `make nets` takes each
    case on both."""
    if not TURNS:
        return items, []
    cases: dict[str, dict[tuple, int]] = {}  # a test → its cases but for the database, each with its place
    kept, left = [], []
    for item in items:
        given = getattr(getattr(item, "callspec", None), "indices", {})
        case = tuple(sorted((name, at) for name, at in given.items() if name != "database"))
        known = cases.setdefault(item.nodeid.partition("[")[0], {})
        turn = known.setdefault(case, len(known)).bit_count() % 2  # so that of two values crossed each meets both
        both = "database" not in given or not case or "nets" in item.path.parts
        (kept if both or given["database"] == turn else left).append(item)
    if len(items) > WHOLE:
        global _whole_run
        _whole_run = True
        kept, rest = _share(kept)
        left += rest
    return kept, left


def shared_out() -> bool:
    return _whole_run


def todays(name: str) -> bool:
    """Whether this day takes what the days take in turns. Only a whole run is shared out."""
    return not _whole_run or (zlib.crc32(name.encode()) + DAY) % DAYS == 0


def this_time(name: str) -> bool:
    """The same of what is left out every other time that its test's day comes."""
    return not _whole_run or (zlib.crc32(name.encode()) + DAY // DAYS) % 2 == 0


def _share(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Of a whole run what is this day's: one database for each test (SQLite on two days of three), a third of many cases, a sixth
    of the nets' long rows and of what takes long, by turns, so that no day has all of it. Six days' runs (twelve of the matrix),
    or one of `make nets`, are all; a part that is asked for by name is not shared out."""
    kept, left, met = [], [], Counter()
    many = Counter(map(name_of, items))
    for item in items:
        given = getattr(getattr(item, "callspec", None), "indices", {})
        name, net = item.path.name, "nets" in item.path.parts
        if (net and name in SHARED_NETS) or "takes_long" in item.keywords:
            row = name if net else "takes_long"
            met[row] += 1
            mine = (met[row] + DAY) % DAYS == 0
        elif set(given) == {"database"} and (name == "test_fuzz.py" or not {name, *item.path.parts} & BOTH):
            mine = ((zlib.crc32(name_of(item).encode()) + DAY) % 3 == 0) == given["database"]
        elif "database" in item.fixturenames and many[name_of(item)] >= 6:
            met[name_of(item)] += 1
            mine = (met[name_of(item)] + DAY) % 3 == 0
        else:
            mine = True
        (kept if mine else left).append(item)
    return kept, left


def name_of(item: pytest.Item) -> str:
    """A test without its case."""
    return item.nodeid.partition("[")[0]
