"""What the engines of facts do alike: tables checked and turned into codes, questions as SQL, answers as tables."""
