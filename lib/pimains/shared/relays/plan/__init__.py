"""Who may switch which contact when."""
