"""The planner's memory: every mention and assertion as it was recorded, and the names that they lead to."""
