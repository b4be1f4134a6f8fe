"""Mutation testing: break one thing in the code, and see whether the tests notice.

`mutants` breaks sources, `trial` runs the chosen tests against each broken source in a process of its own. Nothing on
the
disk is changed: the child imports the broken source instead of the file.
"""
