"""What a model is asked: one family of dspy.Signatures a file. Knows dspy and pydantic only."""
