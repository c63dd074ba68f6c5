"""The map: which coordinates there are, how objects are drawn on them, and which of them a lasso takes."""
