"""Printing: labels and documents as values in, dots and bytes out.

A room fills in a value (`ExpressWaybill`, `ContainerLabel`, ...), `render` draws it by its template, `to_bytes` puts it
into the printer's language, `to_png` shows it to a person. All of it is pure: the same value always gives the same
bytes. All text is drawn as dots in our own font, so what a merchant typed can never be a printer's command.
"""

from __future__ import annotations

from wms.printing.bitmap import Bitmap, to_png
from wms.printing.languages import Language, to_bytes
from wms.printing.render import pages_of, render
from wms.printing.templates import TEMPLATES
from wms.printing.templates.elements import Template

__all__ = ["TEMPLATES", "Bitmap", "Language", "Template", "pages_of", "render", "to_bytes", "to_png"]
