from flask import Flask, render_template_string

from consent import Consent

app = Flask(__name__)
app.config.update(SECRET_KEY="change me before you go live", CONSENT_CONTROLLER="Example News Ltd")
Consent(app, services=["google-analytics", "youtube"])

PAGE = """{% from "consent/macros.html" import embed, settings_link %}<!doctype html><html lang="en"><title>News</title>
<h1>News</h1>{{ embed("youtube", "aqz-KE-bpKQ", title="Big Buck Bunny") }}<p>{{ settings_link() }}</p></html>"""
app.add_url_rule("/", view_func=lambda: render_template_string(PAGE))

if __name__ == "__main__":
    app.run()
