"""What runs left in ML Metadata: outputs, lineage, verdicts and human decisions."""
