"""The LLM judge: an OpenAI-compatible model says whether the generated SQL does the gold's job."""
