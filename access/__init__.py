"""Who may: a viewer, what the policy lets him do where, and how often somebody may try."""
