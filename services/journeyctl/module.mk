# bin/journeyctl: the operators' tool
SERVICES += journeyctl
journeyctl_SRC := main.c help.c commands.c ctl.c database.c publish.c scan.c tenants.c keys.c settings.c identifiers.c topics.c tail.c \
	letters.c letters_act.c sessions.c files.c sender.c progress.c replay.c demo.c load.c load_figures.c
journeyctl_DOMAIN := domain/args.c domain/apikey.c domain/csv.c domain/repeats.c domain/decode.c domain/setting.c \
	domain/envfile.c domain/index.c domain/dataset.c domain/retentioneering.c domain/completejourney.c domain/completejourney_write.c \
	domain/lanes.c domain/visitor.c
journeyctl_DOMAIN_HEAP := 1
journeyctl_USES := base bus http json privacy proto store stream topics
journeyctl_PKGS := libpq libevent zlib
