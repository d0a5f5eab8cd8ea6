-- A constraint trigger cannot be replaced.
DROP TRIGGER IF EXISTS feed_mute_notify ON feed.pacer;
CREATE CONSTRAINT TRIGGER feed_mute_notify AFTER UPDATE OF muted ON feed.pacer
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION feed.mute_notify();
