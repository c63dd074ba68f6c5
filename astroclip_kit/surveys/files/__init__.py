"""Files of any survey: FITS, tables, arrays and Arrow, found, opened and checked; nothing here knows a survey.

Touch this to read a file format better or faster for all readers.
"""
