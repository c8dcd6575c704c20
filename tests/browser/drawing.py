"""A signature drawn by hand, on a phone."""

SMALL, LARGE = 390, 1280


def draw(page) -> None:
    """A signature of several strokes."""
    page.locator("canvas.pad").scroll_into_view_if_needed()
    box = page.locator("canvas.pad").bounding_box()
    for begin in (20, 110, 200):
        page.mouse.move(box["x"] + begin, box["y"] + 60)
        page.mouse.down()
        for step in range(12):
            page.mouse.move(box["x"] + begin + 6 * step, box["y"] + 60 + 40 * (step % 3))
        page.mouse.up()
