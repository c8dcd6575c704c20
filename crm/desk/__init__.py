"""Pages that see everything: Today, the customers' list and page, type-ahead."""

from flask import Flask

from crm.desk import imports, listing, views


def init_app(app: Flask) -> None:
    app.register_blueprint(views.bp)
    app.register_blueprint(listing.bp)
    imports.init_app(app)
    app.context_processor(views.shell)
