"""The bare page: what Flask and the database need for a list of fifty rows by an indexed key, and nothing else.

The same server, the same pool, one Core statement, one Jinja table of eight columns. `python -m bench.bare URL PORT`.
"""

import sys

from flask import Flask, render_template_string
from sqlalchemy import create_engine, text

from crm import serve

PAGE = """<!doctype html><html><head><title>Rows</title></head><body><table>
{% for row in rows %}<tr>{% for one in row %}<td>{{ one }}</td>{% endfor %}</tr>
{% endfor %}</table></body></html>"""
ROWS = text(
    "SELECT id, number, title, state, category, priority, customer_id, opened_at FROM subjects "
    "WHERE kind = 'ticket' ORDER BY id DESC LIMIT 50"
)


def make(url: str) -> Flask:
    app, engine = Flask("bare"), create_engine(url)

    @app.get("/")
    def rows():
        with engine.connect() as connection:
            return render_template_string(PAGE, rows=connection.execute(ROWS).all())

    return app


if __name__ == "__main__":
    serve.many_workers(lambda: make(sys.argv[1]), "127.0.0.1", int(sys.argv[2]), 2)
