"""The object that is looked at: its cutout, spectrum and light curve, and its properties."""
