"""A signature's strokes: lines of points in whole pixels, as the pad sends them."""

import hashlib
import json
from collections.abc import Iterator

from crm.errors import Invalid
from crm.labels import N_

Stroke = list[list[int]]  # points, each [x, y]
MOST_STROKES, MOST_POINTS, FARTHEST = 200, 6000, 5000
FEWEST_POINTS, SMALLEST = 12, 40  # less is a slip of the finger; pixels
GRID = 200  # to which strokes are brought before they are compared


def read(text: str) -> list[Stroke]:
    """The strokes of a form's hidden field. Invalid if they are none, no signature, or too much of one."""
    if not text:
        raise Invalid(fields={"strokes": N_("The signature is missing: sign in the box.")})
    try:
        strokes = json.loads(text)
    except (ValueError, RecursionError):
        strokes = None
    if not _well_formed(strokes):
        raise Invalid(fields={"strokes": N_("This is no drawing that can be kept: clear the box and sign again.")})
    left, top, right, bottom = box(strokes)
    if sum(map(len, strokes)) < FEWEST_POINTS or max(right - left, bottom - top) < SMALLEST:
        raise Invalid(fields={"strokes": N_("This is too little for a signature: clear the box and sign again.")})
    return strokes


def _well_formed(strokes: object) -> bool:
    if not isinstance(strokes, list) or not 0 < len(strokes) <= MOST_STROKES:
        return False
    if not all(isinstance(stroke, list) and stroke for stroke in strokes):
        return False
    points = [point for stroke in strokes for point in stroke]
    return len(points) <= MOST_POINTS and all(isinstance(one, list) and len(one) == 2 and _on_page(one) for one in points)


def _on_page(point: list) -> bool:
    return all(type(number) is int and -FARTHEST <= number <= FARTHEST for number in point)


def _points(strokes: list[Stroke]) -> Iterator[list[int]]:
    return (point for stroke in strokes for point in stroke)


def box(strokes: list[Stroke]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom."""
    xs, ys = zip(*_points(strokes), strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def mark(strokes: list[Stroke]) -> str:
    """What tells one drawing from another wherever it stands and however large it is: no hand draws the same twice."""
    left, top, right, bottom = box(strokes)
    wide, high = right - left or 1, bottom - top or 1
    drawn = []
    for stroke in strokes:
        line: Stroke = []
        for x, y in stroke:
            point = [_share(x - left, wide), _share(y - top, high)]
            if not line or line[-1] != point:
                line.append(point)
        drawn.append(line)
    return hashlib.sha256(json.dumps(drawn).encode()).hexdigest()


def _share(part: int, whole: int) -> int:
    return (2 * part * GRID + whole) // (2 * whole)


def path(strokes: list[Stroke]) -> str:
    """The drawing as the path of an SVG."""
    lines = (" L".join(f"{x} {y}" for x, y in stroke + stroke[:1] * (len(stroke) == 1)) for stroke in strokes)
    return " ".join(f"M{line}" for line in lines)


def view(strokes: list[Stroke], margin: int = 8) -> str:
    """The viewBox that shows all of it."""
    left, top, right, bottom = box(strokes)
    return f"{left - margin} {top - margin} {right - left + 2 * margin} {bottom - top + 2 * margin}"
