"""The judge's own short training and its calibration."""
