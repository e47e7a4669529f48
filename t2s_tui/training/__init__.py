"""LoRA and QLoRA training: recipes, rows and masks, the trainer, checkpoints."""
