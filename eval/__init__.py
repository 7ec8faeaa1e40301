"""It measures itself: LongMemEval, LoCoMo, DMR and SORT over this service and its peers (docs/evaluation.md)."""
