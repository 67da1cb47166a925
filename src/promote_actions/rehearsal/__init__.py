"""The rehearsal: the whole flow on this machine, against emulators of GitHub and Argo CD."""
