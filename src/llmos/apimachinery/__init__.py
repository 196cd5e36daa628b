"""Words every room speaks: resources, objects, errors, selectors, patches; pure, no I/O."""
