"""The post room: how other systems talk to the warehouse in their own formats.

Qimen, CSV and XLSX files, webhooks, and the link to the stations' gateways. A room's own REST stays in its api.py.
"""
