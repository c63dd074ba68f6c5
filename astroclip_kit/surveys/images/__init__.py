"""What the readers of images share: headers, units, footprints, and cutting bands out of aligned or turned images.

Touch this to teach `FITSImages` and `ImageCubes` another header.
"""
