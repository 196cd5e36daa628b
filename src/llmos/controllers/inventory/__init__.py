"""What hardware there is: this machine as a Node, its GPUs as GPUDevices, a StorageClass."""
