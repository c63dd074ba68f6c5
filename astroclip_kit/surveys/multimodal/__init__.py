"""The layouts of the Multimodal Universe, in HDF5 files and as HATS catalogues: names, values, reading and writing.

Touch this when a survey of the Multimodal Universe has columns of its own.
"""
