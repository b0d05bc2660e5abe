"""Saying: words, numbers, times, sentences and documents, in two languages."""
