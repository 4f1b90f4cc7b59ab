"""Sound: samples, files, microphone and loudspeaker."""
