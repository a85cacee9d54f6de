"""The kinds of array that a tensor may hold: `kind.py` says what is asked of one.

`words.py` has NumPy's fast words, and each further kind has a file of its own.
"""
