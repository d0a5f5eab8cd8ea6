CREATE TRIGGER board_version BEFORE UPDATE ON feed.boards
FOR EACH ROW EXECUTE FUNCTION feed.version_board();
