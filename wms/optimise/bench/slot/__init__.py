"""The standard slotting experiment: a year of orders walked under nine policies of where goods lie."""
