"""Who may: viewers, what each may see, and with which word they are known."""
