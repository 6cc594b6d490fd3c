"""Every table, figure and claim of the three papers as one function, and what came of it.

Needs ``pip install 'firstlight[compare,fields,physics,vision,hf]'`` for all of them.
"""
