-- Last of the BEFORE triggers by name, so that it sees what an application's own triggers made of the row.
CREATE TRIGGER zz_feed_version BEFORE UPDATE ON opportunities
FOR EACH ROW EXECUTE FUNCTION feed.version_opportunity();
