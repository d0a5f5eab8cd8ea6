SELECT feed.attach('opportunities', key => 'id', board => 'board_id'),
       feed.attach('boards', key => 'id', board => 'id'),
       feed.attach('board_members', key => 'board_id,user_id', board => 'board_id'),
       feed.attach('feed.flags', key => 'flag,scope,user_id');
