"""The results of bench.scale as a page with a table and a plot: `python -m bench.report` writes docs/scale.md."""

import json
import statistics
from pathlib import Path

from bench.scale import BARE
from bench.stores import HOME

DOCS = Path(__file__).parents[1] / "docs"
BARE_KEY = "0"
# Answers a second of the best of the peers at 100,000 tickets, two workers, and how many times as many are the goal;
# the bare page gave 826 on that machine (PostgreSQL).
PEERS = {"list": ("Redmine", 11.7, 10), "search, 50 hits": ("Roundup", 13.4, 10), "record": ("django-helpdesk", 51, 4),
         "create": ("django-helpdesk", 137, 1)}  # fmt: skip
BARE_THERE = 826
AFTER_AN_IMPORT = (
    "After a very large import of something else, a search for a common word looks further back on PostgreSQL",
    "(`finding.WINDOWS`): at a million records, with ten thousand newer numbers given to contracts, 15 bare pages",
    "instead of 4 (2026-11-29), until newer records are there. A list of records begins at its own newest.",
)


def _middle(cell: dict, what: str) -> float:
    return statistics.median(cell[what])


def table(result: dict) -> list[str]:
    sizes = [str(size) for size in result["sizes"]]
    first, last = sizes[0], sizes[-1]
    heads = [f"{int(size):,} ÷ {int(first):,}" for size in sizes[1:]]
    lines = [f"| | {' | '.join(heads)} | alone ÷ {BARE} | at once ÷ {BARE} |", "|---" * (len(heads) + 3) + "|"]
    for name, cells in result["found"].items():
        single = {size: _middle(cells[size], "single") for size in [BARE_KEY, *sizes]}
        rate = {size: _middle(cells[size], "rate") for size in [BARE_KEY, *sizes]}
        grown = [f"{single[size] / single[first]:.2f}" for size in sizes[1:]]
        beside = [f"{single[last] / single[BARE_KEY]:.1f}", f"{rate[BARE_KEY] / rate[last]:.1f}"]
        lines.append(f"| {name} | {' | '.join([*grown, *beside])} |")
    return lines


def beside_peers(result: dict) -> list[str]:
    """How many bare pages one of ours costs at 100,000, eight at once (four who create); beside the peers'."""
    if result["kind"] != "postgresql" or 100_000 not in result["sizes"]:
        return []
    lines = ["At 100,000, at once, bare pages for one of ours, and for one of the best peer's:", "",
             "| | ours | best peer | times as fast | goal |", "|---|---|---|---|---|"]  # fmt: skip
    for name, (who, rate, goal) in PEERS.items():
        cells = result["found"].get(name)
        if cells is None:
            continue
        ours = _middle(cells[BARE_KEY], "rate") / _middle(cells["100000"], "rate")
        theirs = BARE_THERE / rate
        lines.append(f"| {name} | {ours:.1f} | {theirs:.0f} ({who}) | {theirs / ours:.1f} | {goal} |")
    return [*lines, ""]


def plot(result: dict) -> str:
    """Growth of each page with the size, on a scale of doublings."""
    sizes = [str(size) for size in result["sizes"]]
    bars, height = [], 18
    for place, (name, cells) in enumerate(result["found"].items()):
        grown = _middle(cells[sizes[-1]], "single") / _middle(cells[sizes[0]], "single")
        y, wide = 30 + place * height, min(grown, 6) * 80
        bars.append(f'<text x="4" y="{y + 12}">{name}</text><rect x="190" y="{y + 2}" width="{wide:.0f}" height="13" '
                    f'fill="#3b82c4"/><text x="{195 + wide:.0f}" y="{y + 12}">{grown:.2f}</text>')  # fmt: skip
    tall = 40 + height * len(bars)
    goal = (
        f'<line x1="294" x2="294" y1="26" y2="{tall}" stroke="#c0392b"/><text x="297" y="22" fill="#c0392b">1.3</text>'
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{tall}" font-family="sans-serif" font-size="12">'
    )
    title = f'<text x="4" y="14">{result["kind"]}: {int(sizes[-1]):,} ÷ {int(sizes[0]):,} records</text>'
    return head + title + goal + "".join(bars) + "</svg>\n"


def main() -> None:
    lines = ["# Scale", "", "`make bench` fills databases with service records and times the served program (two workers) "
             "beside a bare Flask page", "of fifty rows by an indexed key, in the same minutes. Only ratios mean anything. "
             "*alone*: one request at a time", "on a connection that stays; *at once*: eight people (four who create), each "
             "request on a connection of its own, as when", "people click seconds apart: it "
             "costs the bare page the same and so weighs more there.", "Both at the largest size. Each number is a median.", "",
             "The goals: a list three times the bare page; a million within 1.3 times of ten thousand (SQLite: a hundred "
             "thousand);", "a worker under 150 MB. Words in 0.1 % of the rows have ten hits among ten thousand and a full page "
             "of them among a", "million. Today grows with what the whole department did today, and so with the hour: shortly "
             "before midnight it was", "3.7 times that of ten thousand, the manager's 2.7 times.", "",
             *AFTER_AN_IMPORT, ""]  # fmt: skip
    for kind in ("postgresql", "sqlite"):
        if not (HOME / f"{kind}.json").exists():
            continue
        result = json.loads((HOME / f"{kind}.json").read_text())
        (DOCS / f"scale-{kind}.svg").write_text(plot(result), encoding="utf-8")
        sweeps = result["tick"].items()
        ticks = "; ".join(f"{int(size):,}: {one['idle']:.0f} ms, {one['due'] / 1000:.1f} s" for size, one in sweeps)
        most = max(peak for size, workers in result["memory"].items() if size != BARE_KEY for _now, peak in workers)
        lines += [f"## {kind}, {result['day']}", "", *table(result), "", *beside_peers(result)]
        lines += [f"![growth](scale-{kind}.svg)", "",
                  f"A sweep with nothing due, and with a thousand due: {ticks}.",
                  f"The largest worker: {most} MB at most. Rounds: {result['rounds']}.", ""]  # fmt: skip
    (DOCS / "scale.md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
