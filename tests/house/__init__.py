"""The rules of the house: each takes the root of a checkout and says, a sentence each, where it is broken."""
