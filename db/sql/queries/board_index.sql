SELECT c FROM feed.board_index() AS c
