"""Adds to setup.cfg the one thing it cannot say: every package found, and `migrations/` as wms.migrations."""

from __future__ import annotations

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["wms", "wms.*", "devices", "devices.*"]),
        "wms.migrations",
        "wms.migrations.versions",
    ]
)
