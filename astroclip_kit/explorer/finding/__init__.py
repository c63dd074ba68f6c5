"""Finding one object, and showing only those that conditions hold for."""
