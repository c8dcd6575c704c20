"""DESIGN §3 and its sizes, held by the code itself."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = sorted((ROOT / "crm").rglob("*.py"))
PACKAGES = sorted(path.parent.name for path in (ROOT / "crm").glob("*/models.py"))
FILES = ("models", "workflow", "queries", "forms", "views")
# of files there is no form of their own; what is brought in moves by its runs; the desk only shows what is others'
LESS = {"files": {"forms"}, "sheets": {"workflow", "queries", "forms"}, "desk": {"workflow", "forms"}}
LATE = {
    "crm/__init__.py": {"create_app"}, "crm/migrating.py": {"migrate", "_extend"}, "crm/export.py": {"as_book"},
    "crm/visits/feed.py": {"calendar_of"}, "crm/sheets/workbook.py": {"main"},
    "crm/staff/passwords.py": {"_guesses"},
}  # fmt: skip


def functions(tree: ast.AST):
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_upper_packages_import_lower_ones_and_never_the_other_way_round():
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_import_stands_at_the_top_but_for_those_of_create_app_of_what_migrates_and_of_large_libraries(path):
    late = LATE.get(path.relative_to(ROOT).as_posix(), set())
    for function in functions(ast.parse(path.read_text())):
        inside = [node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
        assert not inside or function.name in late, f"{function.name} imports inside"


def test_a_worker_holds_no_library_that_few_of_them_need(tmp_path):
    large = ("openpyxl", "icalendar", "python_calamine", "zxcvbn", "typst", "fontTools", "alembic")
    code = f"import sys, crm; crm.create_app({{'INSTANCE': {str(tmp_path)!r}, 'SECRET_KEY': 'k' * 32}}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "crm.pages" in done.stdout.split()
    assert not {name.split(".")[0] for name in done.stdout.split()} & {*large}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_has_the_five_files(package):
    wanted = {*FILES} - LESS.get(package, set())
    assert {name for name in FILES if (ROOT / "crm" / package / f"{name}.py").exists()} == wanted


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_tests_share_stands_beside_them_in_no_other_test(path):
    names = {name.rpartition(".")[2] for name in imported(ast.parse(path.read_text())) if name.startswith("tests.")}
    assert not [name for name in names if name == "conftest" or name.startswith("test_")]


def test_only_the_database_module_commits():
    for path in CODE:
        if path.name != "db.py":
            assert not re.search(r"session\.commit\(|\.commit\(\)", path.read_text()), path


def test_nobody_asks_the_database_or_the_system_for_the_time():
    for path in CODE:
        if path.name != "clock.py":
            assert not re.search(
                r"func\.now\(|datetime\.now\(|date\.today\(|utcnow\(|time\.time\(", path.read_text()
            ), path


def test_files_and_functions_stay_at_a_size_to_feel_at_home_in():
    for path in CODE:
        text = path.read_text()
        assert len(text.splitlines()) <= 300, path
        for function in functions(ast.parse(text)):
            own = function.end_lineno - function.lineno + 1
            assert own <= 45, f"{path.name}:{function.name} has {own} lines"


def test_a_template_is_one_screenful_or_two():
    for path in (ROOT / "templates").rglob("*.html"):
        assert len(path.read_text().splitlines()) <= 120, path


def test_migrations_never_import_the_program():
    for path in (ROOT / "migrations").rglob("*.py"):
        assert not {name for name in imported(ast.parse(path.read_text())) if name.split(".")[0] == "crm"}, path


def test_the_wheel_asks_for_what_the_lock_was_made_from():
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    listed = [line.split("#")[0].strip() for line in (ROOT / "requirements/run.in").read_text().splitlines()]
    plain = {
        re.sub(r"\s|\"|'", "", line) for line in listed if line and not line.startswith(("hatchling", "editables"))
    }
    assert {re.sub(r"\s|\"|'", "", line) for line in asked} == plain


def test_no_template_says_that_a_value_is_safe_markup_unless_it_is_a_constant():
    for path in (ROOT / "templates").rglob("*.html"):
        for found in re.findall(r"\{\{[^}]*\|\s*safe[^}]*\}\}", path.read_text()):
            assert re.search(r"""['"][^'"]*(?:"[^"]*"[^']*)?['"]\|safe""", found), f"{path}: {found}"


def test_no_statement_is_put_together_from_strings():
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "text":
                assert all(not isinstance(arg, ast.JoinedStr | ast.BinOp) for arg in node.args), path
