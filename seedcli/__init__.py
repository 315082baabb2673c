"""The terminal tool `seed`: repositories, patches, review. Knows no torch; the model is behind `model_client`."""

__version__ = "0.1.0"
