"""The transforms that :class:`pellucid.data.augment.Augment` puts together: geometry, colours, pixels."""
