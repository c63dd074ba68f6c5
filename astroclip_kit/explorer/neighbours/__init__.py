"""Who is like the object that is looked at, in every modality, or like a new file."""
