"""Walk the schema's history: upgrade, downgrade, check, and write the next step.

What a person types is `wms db ...`; these functions do it. A new step is made with
`python -m wms.migrations "what changed"`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.migrations.metadata import every_table, missing_guards

HERE = Path(__file__).resolve().parent


def upgrade(url: str, revision: str = "head") -> str:
    """Bring the database to `revision` (default: the newest) and say which one that is.

    Refuses with SCHEMA_NEWER when the database was written by a newer program: going on would lose what it knows.
    """
    known(url)
    command.upgrade(_config(url), revision)
    return current(url) or "empty"


def downgrade(url: str, revision: str = "-1") -> str:
    """Undo steps down to `revision` (default: one step; "base": all, which deletes every row)."""
    known(url)
    command.downgrade(_config(url), revision)
    return current(url) or "empty"


def current(url: str) -> str | None:
    """The step the database stands on; None for one without a schema."""
    database = Database.open(url)
    try:
        return database.read(lambda session: MigrationContext.configure(session.connection()).get_current_revision())
    finally:
        database.dispose()


def newest() -> str | None:
    """The newest step this program knows."""
    return _scripts().get_current_head()


def known(url: str) -> str | None:
    """The database's step, if this program knows it; else Refused(SCHEMA_NEWER)."""
    stands_on = current(url)
    if stands_on is not None and stands_on not in {script.revision for script in _scripts().walk_revisions()}:
        raise Refused(Reason.SCHEMA_NEWER, database=stands_on, program=newest())
    return stands_on


def check(url: str) -> list[str]:
    """Every way in which the database differs from what the program expects, a sentence each; empty when it fits."""
    stands_on = known(url)
    if stands_on != newest():
        return [f"the schema stands on {stands_on or 'nothing'}, this program needs {newest()}: run wms db upgrade"]
    database = Database.open(url)
    try:
        return database.read(lambda session: differences(session.connection()))
    finally:
        database.dispose()


def differences(connection: Connection) -> list[str]:
    """Where the tables behind `connection` are not those of the rooms."""
    options = {"compare_type": True, "compare_server_default": True}
    found = compare_metadata(MigrationContext.configure(connection, opts=options), every_table())
    lacking: list[str] = missing_guards(connection)
    return [_sentence(difference) for difference in found] + lacking


def generate(message: str) -> list[Path]:
    """Write the step from the newest revision to the rooms' tables; none when nothing changed.

    The comparison is made with a fresh SQLite file brought to the newest revision. Read what was written before keeping
    it: a renamed column looks like one dropped and one added. Triggers and walls need no step: they follow every
    upgrade.
    """
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/empty.db"
        command.upgrade(_config(url), "head")
        config = _config(url)
        config.attributes["drop_empty"] = True
        number = f"{sum(1 for _ in _scripts().walk_revisions()) + 1:04}"
        made = command.revision(config, message, autogenerate=True, rev_id=number)
    scripts = made if isinstance(made, list) else [made]
    return [Path(script.path) for script in scripts if script is not None]


def _config(url: str) -> Config:
    config = Config(stdout=sys.stderr)
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["url"] = url if "://" in url else f"sqlite:///{url}"
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config("sqlite://"))


def _sentence(difference: object) -> str:
    if isinstance(difference, list):
        return "; ".join(_sentence(part) for part in difference)
    assert isinstance(difference, tuple)
    return " ".join(str(getattr(part, "name", part)) for part in difference if part is not None and part != {})
