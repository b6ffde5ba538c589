"""One module for each figure: its record and its drawing function.

The function imports what only drawing needs, so that planning a run stays fast.
"""
