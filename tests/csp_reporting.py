"""What browsers post of requests that the policy does not allow, and what becomes of it in the log."""

from __future__ import annotations

import json

OLD, NEW = "application/csp-report", "application/reports+json"
URL = "/privacy-choices/csp-reports"
PAGE = "http://localhost/articles/7?token=secret#part"


def add_articles(app):
    """Add the route that `PAGE` is of."""
    app.add_url_rule("/articles/<int:number>", "article", lambda number: f"{number}")
    return app


def list_told(caplog):
    """Return the leaks in the log."""
    lines = (record.getMessage().partition("consent-audit ")[2] for record in caplog.records)
    return [json.loads(line) for line in lines if line]


def report(client, blocked="https://t.example/x?id=1", *, page=PAGE, directive="img-src", **options):
    fields = {"document-uri": page, "blocked-uri": blocked, "effective-directive": directive}
    return client.post(URL, data=json.dumps({"csp-report": fields}), content_type=OLD, **options)


def report_many(client, *requests, directive="img-src"):
    bodies = [{"documentURL": page, "blockedURL": url, "effectiveDirective": directive} for url, page in requests]
    reports = [{"type": "csp-violation", "body": body} for body in bodies]
    return client.post(URL, data=json.dumps(reports), content_type=NEW)


def list_strangers(count, page=PAGE):
    return [(f"https://t{number}.example/", page) for number in range(count)]
