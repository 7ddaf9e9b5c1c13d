"""What a bot's use is counted by, and what follows from it: months and hours, limits, the brand line. Pure."""
