"""What people do at a subject's page."""


def go(page, path: str, verb: str, files: dict[str, bytes] | None = None, **typed: str) -> None:
    """One verb: its form filled in and sent; or its button alone."""
    page.goto(path)
    form = page.locator(f"#{verb}")
    if form.evaluate("one => one.tagName") == "BUTTON":
        form.click()
    else:
        if not form.evaluate("one => one.open"):
            form.locator("summary").first.click()
        for name, content in (files or {}).items():
            form.locator(f"[name={name}]").set_input_files({"name": "scan.pdf", "mimeType": "application/pdf", "buffer": content})
        for name, words in typed.items():
            field = form.locator(f"[name={name}]")
            if field.evaluate("one => one.type") == "checkbox":
                field.check()
            else:
                field.select_option(words) if field.evaluate("one => one.tagName") == "SELECT" else field.fill(words)
        form.locator("button.btn").last.click()
    page.wait_for_selector(".alert-success, .alert-danger")
    assert page.locator(".alert-success").count() == 1, page.locator("main").inner_text()
