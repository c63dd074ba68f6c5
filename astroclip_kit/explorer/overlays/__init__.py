"""Catalogues of others over the map, matched by position or id."""
