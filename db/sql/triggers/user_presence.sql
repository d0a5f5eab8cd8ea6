CREATE TRIGGER feed_presence AFTER INSERT OR DELETE ON feed.user_presence
FOR EACH ROW EXECUTE FUNCTION feed.notify_presence();
CREATE TRIGGER feed_presence_changed AFTER UPDATE ON feed.user_presence
FOR EACH ROW WHEN (OLD.action IS DISTINCT FROM NEW.action OR OLD.base_version IS DISTINCT FROM NEW.base_version)
EXECUTE FUNCTION feed.notify_presence();
