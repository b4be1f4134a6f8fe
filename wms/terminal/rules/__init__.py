"""What the terminal reckons: forecasts against cut-offs, the order of troubles, the shape of plots. Pure."""
