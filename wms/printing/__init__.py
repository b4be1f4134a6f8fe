"""The print corner: labels and documents as bytes, and the queue of what has to be printed where.

Values go in, ESC/POS, TSPL, PNG or PDF come out. The station's gateway fetches the jobs and says how each ended.
"""
