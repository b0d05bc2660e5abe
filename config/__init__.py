"""What exists: regions, channels, measures, metrics, rules and words, validated once at start-up."""
