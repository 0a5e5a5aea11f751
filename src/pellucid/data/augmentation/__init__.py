"""The transforms that :class:`pellucid.data.augmentation.augment.Augment` puts together: geometry, colours, pixels."""
