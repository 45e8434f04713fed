"""What trains more than one model on one log: comparing arms, tuning."""
