"""The engine of every controller: informer, workqueue, controller."""
