"""Acts on the registers, the reads of their private parts among them."""
