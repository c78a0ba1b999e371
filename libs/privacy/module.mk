LIBS += privacy
privacy_SRC := src/identifier.c src/seal.c src/master.c
privacy_USES := base
privacy_PKGS := libsodium
