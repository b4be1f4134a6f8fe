"""A park to try things in: builds a warehouse and lives a day in it through the real doors.

People come in over HTTP, devices over serial ports and TCP, exactly as they would on the floor.
"""
