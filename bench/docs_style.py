"""The reference from above: the app that a reader of Plivo's documentation would write. Flask, the SDK's validator and
XML builder, a session in SQLite the way Flask's documentation opens it. Where there is a choice it is made in its
favour: a database that waits for no disk and keeps its journal in memory, one of two signatures checked, a whole menu
in one Speak."""

import json
import os
import sqlite3
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, abort, g, request
from plivo import plivoxml
from plivo.utils import validate_v3_signature

AUTH_TOKEN = os.environ["DOCS_STYLE_TOKEN"]
DATABASE = os.environ["DOCS_STYLE_DATABASE"]
BASE = "http://line.example.org"


@dataclass(frozen=True, slots=True)
class Menu:
    says: str
    leads: dict[str, str]


MENUS = {
    "language": Menu(
        "Porchlight, anonymous line. English: press 1. Para español, oprima 2.", {"1": "main", "2": "main"}
    ),
    "main": Menu(
        "Are you in danger? For a person, press zero, or hang up and call nine one one. We keep neither your number "
        "nor your voice. To tell what somebody did, press 1.",
        {"1": "what"},
    ),
    "what": Menu(
        "What happened? Hurt: press 1. Robbed: press 2. Threatened: press 3. Police or guards: press 4. "
        "When you are done, press pound.",
        {"1": "when", "2": "when", "3": "when", "4": "when", "#": "when"},
    ),
    "when": Menu(
        "When was it? Today: press 1. In the last week: press 2. In the last month: press 3. Longer ago: press 4.",
        {"1": "place", "2": "place", "3": "place", "4": "place"},
    ),
    "place": Menu(
        "Where was it? In a car: press 1. On the street: press 2. In a room: press 3. Online: press 4.",
        {"1": "phone", "2": "phone", "3": "phone", "4": "phone"},
    ),
    "phone": Menu("Enter the phone number, then press pound. To go back, press star.", {}),
}

app = Flask(__name__)


def database() -> sqlite3.Connection:
    """One connection for each request: flask.palletsprojects.com/patterns/sqlite3."""
    if "database" not in g:
        g.database = sqlite3.connect(DATABASE)
        g.database.execute("PRAGMA synchronous = OFF")
        g.database.execute("PRAGMA journal_mode = MEMORY")
    connection: sqlite3.Connection = g.database
    return connection


@app.teardown_appcontext
def close_database(_error: BaseException | None) -> None:
    opened = g.pop("database", None)
    if opened is not None:
        opened.close()


with app.app_context():
    database().execute("CREATE TABLE IF NOT EXISTS sessions (call TEXT PRIMARY KEY, state TEXT NOT NULL)")


@app.before_request
def check_signature() -> None:
    genuine = validate_v3_signature(
        request.method,
        request.url,
        request.headers.get("X-Plivo-Signature-V3-Nonce", ""),
        AUTH_TOKEN,
        request.headers.get("X-Plivo-Signature-V3", ""),
        request.form.to_dict(),
    )
    if not genuine:
        abort(403)


@app.post("/voice/answer")
def answer() -> Response:
    return _spoken({"menu": "language", "answers": {}, "silences": 0})


@app.post("/voice/keys")
def keys() -> Response:
    session = _session()
    digits = request.form.get("Digits", "")
    menu = session["menu"]
    session["answers"][menu] = digits
    session["menu"] = MENUS[menu].leads.get(digits, "main" if menu == "phone" else menu)
    session["silences"] = 0
    return _spoken(session)


@app.post("/voice/silence")
@app.post("/voice/dialled")
@app.post("/voice/undialled")
def silence() -> Response:
    session = _session()
    session["silences"] += 1
    return _spoken(session)


def _session() -> dict[str, Any]:  # JSON
    found = database().execute("SELECT state FROM sessions WHERE call = ?", (request.form["CallUUID"],)).fetchone()
    session: dict[str, Any] = json.loads(found[0]) if found else {"menu": "main", "answers": {}, "silences": 0}
    return session


def _spoken(session: dict[str, Any]) -> Response:
    with database() as sessions:
        sessions.execute(
            "INSERT OR REPLACE INTO sessions VALUES (?, ?)", (request.form["CallUUID"], json.dumps(session))
        )
    menu = session["menu"]
    response = plivoxml.ResponseElement()
    wait = plivoxml.GetInputElement(
        action=f"{BASE}/voice/keys",
        method="POST",
        input_type="dtmf",
        execution_timeout=8,
        finish_on_key="#" if menu == "phone" else "none",
        num_digits=15 if menu == "phone" else 1,
        log=False,
        redirect=True,
    )
    wait.add_speak(MENUS[menu].says, voice="Polly.Joanna", language="en-US")
    response.add(wait)
    response.add(plivoxml.RedirectElement(f"{BASE}/voice/silence", method="POST"))
    return Response(response.to_string(), mimetype="application/xml")
