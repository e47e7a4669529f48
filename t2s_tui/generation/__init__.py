"""Models and what they answer: local ones (transformers), endpoints (OpenAI API), decoding and trimming."""
