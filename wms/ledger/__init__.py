"""The stock book, and the only hand that writes in it.

Movements say what went from where to where; holds say what is promised. Everyone else asks this room to post,
hold, consume or release, and it refuses whatever would make the book untrue.
"""
