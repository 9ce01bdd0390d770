"""What rrdtool keeps and draws; all of it can be made again from the journal."""
