LIBS += redis
redis_SRC := src/redis.c src/url.c
redis_USES := base
redis_PKGS := hiredis libevent
