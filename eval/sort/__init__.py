"""SORT, the Sequence Order Recall Task (arXiv 2410.08133): which of two segments of a text came first."""
