"""What the terminal's buttons do: each deed is one function, and releasing waves goes on behind the scenes."""
