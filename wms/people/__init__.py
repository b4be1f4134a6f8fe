"""The gate and the time office: who is in the building and what each may do.

Users, badges and PINs, roles and their rights, sessions, the keys of devices and of other programs.
"""
