LIBS += letters
letters_SRC := src/letter.c src/letters.c src/refresh.c src/sql.c
letters_USES := base bus decode json proto topics
letters_PKGS := libpq
