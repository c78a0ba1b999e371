LIBS += setting
setting_SRC := src/setting.c
setting_USES := base json
