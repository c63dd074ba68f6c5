"""The parts of DESI files: fibermap, redshifts, arms and their co-addition, read and written."""
