"""How much memory a worker takes: the demo department, two gunicorn workers, eight people at once on every page.

.venv/bin/python bench/memory.py          (Linux; prints MB per process before and after)
"""

import http.cookiejar
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

CRM = str(Path(sys.executable).with_name("crm"))
PORT = 8791
BASE = f"http://127.0.0.1:{PORT}"
PAGES = ("/", "/tickets", "/customers", "/installations", "/duties", "/rulebook", "/tickets/new", "/tickets/T2611-0003")
ROUNDS, PEOPLE = 20, 8


def person() -> None:
    """Log in as the manager and open every page, over and over."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    token = re.search(r'csrf_token" value="([^"]+)', opener.open(f"{BASE}/login").read().decode())
    fields = {"csrf_token": token[1] if token else "", "login": "manager", "password": "manager-demo-pass"}
    opener.open(f"{BASE}/login", urllib.parse.urlencode(fields).encode()).read()
    for _ in range(ROUNDS):
        for page in PAGES:
            try:
                opener.open(BASE + page).read()
            except urllib.error.HTTPError as answered:
                assert answered.code == 404, page


def processes(parent: int) -> dict[int, float]:
    """MB resident of the server and its workers."""
    listed = subprocess.run(
        ["ps", "-eo", "pid,ppid,rss"], capture_output=True, text=True, check=True
    ).stdout.splitlines()[1:]
    rows = [tuple(map(int, line.split())) for line in listed]
    return {pid: rss / 1024 for pid, ppid, rss in rows if parent in (pid, ppid)}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"CRM_INSTANCE": folder, "PORT": str(PORT)}
        subprocess.run([CRM, "demo"], env=environment, check=True, stderr=subprocess.DEVNULL)
        server = subprocess.Popen([CRM, "serve", "--workers", "2"], env=environment, stderr=subprocess.DEVNULL)
        try:
            time.sleep(5)
            before = processes(server.pid)
            people = [threading.Thread(target=person) for _ in range(PEOPLE)]
            for one in people:
                one.start()
            for one in people:
                one.join()
            after = processes(server.pid)
        finally:
            server.terminate()
            server.wait()
    for pid, size in after.items():
        print(
            f"{'server' if pid == server.pid else 'worker'}: {before.get(pid, 0):.0f} MB at the start, {size:.0f} MB after"
        )


if __name__ == "__main__":
    main()
