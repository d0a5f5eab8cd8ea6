CREATE TRIGGER opportunity_details_version BEFORE UPDATE ON feed.opportunity_details
FOR EACH ROW EXECUTE FUNCTION feed.version_board();
