"""Neural fields: images, audio, shapes, spheres and volumes as networks of their coordinates."""
