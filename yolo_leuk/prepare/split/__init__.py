"""What must stay together, and where it belongs: patients, looks, groups, splits, folds."""
