"""Settings of a running server: from the environment (WMS_...), each with a default that works in a park.

An unknown WMS_ name or a wrong value refuses to start: a typing error must not become a silent default.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "WMS_"
NOT_SETTINGS = frozenset({"WMS_TEST_PG_URL"})


class Settings(BaseSettings):
    """One field per setting; the description is its documentation."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    db_url: str = Field(
        "./chuwei.db", description="Database: a file path, sqlite:///PATH or postgresql://USER@HOST/NAME"
    )
    host: str = Field("127.0.0.1", description="Address `wms serve` binds; loopback unless said otherwise")
    port: int = Field(8640, ge=0, le=65535, description="Port `wms serve` binds; 0 takes a free one")
    threads: int = Field(
        128, ge=4, le=512, description="Threads of one server process: one for each call under way, waits included"
    )
    tls: bool = Field(False, description="Serve HTTPS, with a certificate made here unless one is named")
    tls_cert: str = Field("", description="PEM file of the server's certificate with its chain; empty: made here")
    tls_key: str = Field("", description="PEM file of the certificate's key")
    allow_http: bool = Field(
        False, description="Serve PDAs over plain HTTP on a LAN: enrolled devices only, no supervisor"
    )
    session_idle_min: int = Field(
        15, ge=1, le=720, description="Minutes without a scan until a PDA asks for the PIN again"
    )
    route_valid_h: int = Field(4, ge=1, le=48, description="Hours a gateway may go on with its last route table")
    data_dir: str = Field("", description="Folder of published test data for benchmarks; empty skips them")


class BadSetting(Exception):
    """A setting that cannot be used; the message is one line for a person."""


def read_settings(**given: object) -> Settings:
    """Settings from the environment, overridden by what the command line gave. Raises BadSetting."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | NOT_SETTINGS
    for name in os.environ:
        if name.startswith(PREFIX) and name not in known:
            raise BadSetting(f"{name}: no such setting; docs/reference/settings.md lists them all")
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        raise BadSetting(f"{PREFIX}{str(first['loc'][0]).upper()}: {first['msg']}") from error


def database_url(given: str | None) -> str:
    """`--db`, else WMS_DB_URL, else ./chuwei.db, as a URL."""
    url = given or os.environ.get("WMS_DB_URL") or "./chuwei.db"
    return url if "://" in url else f"sqlite:///{Path(url)}"
