"""The transforms that :class:`~pellucid.Augment` puts together: geometry, colours, pixels."""
