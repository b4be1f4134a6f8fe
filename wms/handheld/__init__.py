"""The PDA: dialogues declared by the rooms become screens in a worker's hand.

The page that runs on the PDA keeps scans while Wi-Fi is away and sends them in order when it returns.
"""
