-- In a transaction that is rolled back: a schema of the application that has our name.
ALTER SCHEMA feed RENAME TO "feed of the application"
