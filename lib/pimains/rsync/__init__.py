"""The service rsync: an rsync daemon under tcpserver."""
