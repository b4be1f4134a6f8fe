"""What is decided in the aisles without the database: plans, the walk's next step, what a voice says."""
