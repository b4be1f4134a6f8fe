"""The promises proved under fire: what must hold, at full size, and for each the sabotage that must break it."""
