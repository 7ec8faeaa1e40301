"""The pipeline: what a worker does with stored episodes, stage by stage, outside any user's request."""
