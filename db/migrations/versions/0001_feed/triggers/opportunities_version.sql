-- Last of the BEFORE triggers by name, so that it sees the changes that the application's own triggers make to the row.
CREATE TRIGGER zz_feed_version BEFORE UPDATE ON opportunities
FOR EACH ROW EXECUTE FUNCTION feed.version_opportunity();
