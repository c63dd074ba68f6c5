"""What leaves the page and comes to it: files, saved selections, other programs by SAMP."""
