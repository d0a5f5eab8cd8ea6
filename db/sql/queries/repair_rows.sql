SELECT feed.repair_rows()
