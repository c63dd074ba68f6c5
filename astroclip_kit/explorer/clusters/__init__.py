"""Clusters that are found on the page, named and saved beside the store."""
